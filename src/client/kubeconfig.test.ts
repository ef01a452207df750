import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inClusterAccess, KubeconfigError, parseKubeconfig } from './kubeconfig.ts'

const config = (user: string) => `
apiVersion: v1
kind: Config
current-context: skiff
clusters:
- name: skiff
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${Buffer.from('CA').toString('base64')}}
contexts:
- name: skiff
  context: {cluster: skiff, user: admin, namespace: web}
users:
- name: admin
  user: ${user}
`

test('certificates in place', () => {
  const data = Buffer.from('PEM').toString('base64')
  const access = parseKubeconfig(config(`{client-certificate-data: ${data}, client-key-data: ${data}}`))
  assert.equal(access.server, 'https://127.0.0.1:6443')
  assert.equal(String(access.ca), 'CA')
  assert.equal(String(access.certificate), 'PEM')
  assert.equal(String(access.key), 'PEM')
  assert.equal(access.namespace, 'web')
  assert.equal(access.authorization(), undefined)
})

test('tokens and passwords', () => {
  assert.equal(parseKubeconfig(config('{token: abc}')).authorization(), 'Bearer abc')
  assert.equal(parseKubeconfig(config('{username: a, password: b}')).authorization(), `Basic ${Buffer.from('a:b').toString('base64')}`)
})

test('what is wrong is said', () => {
  assert.throws(() => parseKubeconfig(config('{}'), { contextName: 'other' }), new KubeconfigError('context "other" does not exist'))
  assert.throws(() => parseKubeconfig(''), new KubeconfigError('current-context is not set'))
})

test('inside a pod: the mounted token, read again when it is rotated', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-token-'))
  for (const [name, text] of [
    ['token', 'one\n'],
    ['ca.crt', 'CA'],
    ['namespace', 'web'],
  ])
    writeFileSync(join(directory, name ?? ''), text ?? '')
  const access = inClusterAccess({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, directory)
  assert.equal(access.server, 'https://[fd00::1]:443')
  assert.equal(access.authorization(), 'Bearer one')
  writeFileSync(join(directory, 'token'), 'two')
  utimesSync(join(directory, 'token'), new Date(), new Date(Date.now() + 60_000))
  assert.equal(access.authorization(), 'Bearer two')
  rmSync(directory, { recursive: true })
})
