import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { ServerPartFactory } from '../contracts.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { certificates } from './certificates.ts'

let t: TestServer
const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
let mayFor = ''

/** Denies what is asked of signers that are not {@link mayFor}. */
const signerRights: ServerPartFactory = () => ({
  name: 'rights for one signer',
  authorizers: [
    {
      name: 'signers',
      authorize: ({ info }) => ({ decision: info.resource !== 'signers' || info.name === mayFor ? 'allowed' : 'denied', reason: '' }),
    },
  ],
})

async function requestPem(organization: string): Promise<string> {
  await import('reflect-metadata')
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const made = await Pkcs10CertificateRequestGenerator.create({ name: [{ O: [organization] }, { CN: ['jane'] }], keys, signingAlgorithm: algorithm })
  return Buffer.from(made.toString('pem')).toString('base64')
}

const request = async (name: string, organization = 'dev') => ({
  metadata: { name },
  spec: { request: await requestPem(organization), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], username: 'somebody-else' },
})

before(async () => {
  t = await startTestServer({ parts: [certificates], first: [signerRights] })
})
after(() => t.stop())

test('who asked is what the server knows, and stays', async () => {
  const made = await t.call('POST', path, await request('who'))
  assert.equal(made.status, 201, made.object.message)
  const spec = made.object.spec as unknown as { username: string; groups: string[] }
  assert.equal(spec.username, 'tester')
  assert.deepEqual(spec.groups, ['system:authenticated'])
  const changed = await t.call('PATCH', `${path}/who`, { spec: { username: 'other' } }, { contentType: 'application/merge-patch+json' })
  assert.equal((changed.object.spec as unknown as { username: string }).username, 'tester')
})

test('approval needs the right for the signer, by its name or by its domain', async () => {
  await t.call('POST', path, await request('approved'))
  const approve = () =>
    t.call(
      'PATCH',
      `${path}/approved/approval`,
      { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Test' }] } },
      { contentType: 'application/merge-patch+json' },
    )
  mayFor = 'kubernetes.io/other'
  const denied = await approve()
  assert.equal(denied.status, 403)
  assert.equal(
    denied.object.message,
    'certificatesigningrequests.certificates.k8s.io "approved" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  )
  mayFor = 'kubernetes.io/*'
  assert.equal((await approve()).status, 200)
})

test('nobody asks for the group of superusers', async () => {
  const refused = await t.call('POST', path, await request('masters', 'system:masters'))
  assert.equal(refused.status, 403)
  assert.match(refused.object.message ?? '', /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed/)
})
