import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chown, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { mergeKubeconfig, removeFromKubeconfig, writeKubeconfig } from './kubeconfig.ts'
import { ensurePki } from './pki.ts'

let dir: string
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skiff-pki-'))
})
after(() => rm(dir, { recursive: true }))

describe('ensurePki', () => {
  it('makes certificates that its authority signed, for the names of the API server', async () => {
    const clock = new VirtualClock({ start: Date.parse('2026-03-01T00:00:00Z') })
    const pki = await ensurePki(join(dir, 'a'), { clock, extraNames: ['cluster.example', '192.0.2.7'] })
    const serving = new X509Certificate(pki.serving.certificate)
    assert.ok(serving.verify(new X509Certificate(pki.ca.certificate).publicKey))
    assert.ok(serving.checkIssued(new X509Certificate(pki.ca.certificate)))
    for (const name of ['localhost', 'kubernetes.default.svc.cluster.local', 'cluster.example']) assert.ok(serving.checkHost(name), name)
    for (const address of ['127.0.0.1', '::1', '10.96.0.1', '192.0.2.7']) assert.ok(serving.checkIP(address), address)
    const admin = new X509Certificate(pki.admin.certificate)
    assert.equal(admin.subject, 'O=system:masters\nCN=kubernetes-admin')
    const node = new X509Certificate((await pki.nodeClient('node-1')).certificate)
    assert.equal(node.subject, 'O=system:nodes\nCN=system:node:node-1')
    assert.equal((await stat(join(dir, 'a', 'ca.key'))).mode & 0o777, 0o600)
  })

  it('finds them again, renews them before they end, and when the names change', async () => {
    const clock = new VirtualClock({ start: Date.parse('2026-03-01T00:00:00Z') })
    const first = await ensurePki(join(dir, 'b'), { clock })
    const second = await ensurePki(join(dir, 'b'), { clock })
    assert.deepEqual([second.ca, second.serving, second.admin, second.serviceAccount], [first.ca, first.serving, first.admin, first.serviceAccount])
    const named = await ensurePki(join(dir, 'b'), { clock, extraNames: ['other.example'] })
    assert.notEqual(named.serving.certificate, first.serving.certificate)
    assert.equal(named.admin.certificate, first.admin.certificate)
    const later = await ensurePki(join(dir, 'b'), { clock: new VirtualClock({ start: clock.now() + 300 * 86_400_000 }) })
    assert.equal(later.ca.certificate, first.ca.certificate)
    assert.notEqual(later.admin.certificate, first.admin.certificate)
  })
})

describe('kubeconfig', () => {
  const entry = { context: 'skiff', server: 'https://127.0.0.1:6443', authority: 'CA', credentials: { certificate: 'C', key: 'K' } }

  it('keeps what else the file holds', async () => {
    const file = join(dir, 'config')
    const other =
      '# mine\napiVersion: v1\nkind: Config\nclusters:\n- name: work # the big one\n  cluster: {server: https://work}\ncurrent-context: work\nusers: []\nx: 1\n'
    await writeFile(file, other)
    await mergeKubeconfig(file, entry)
    await mergeKubeconfig(file, { ...entry, server: 'https://127.0.0.1:7443' })
    const text = await readFile(file, 'utf8')
    assert.match(text, /^# mine\n/)
    assert.match(text, /# the big one/)
    const config = parse(text)
    assert.deepEqual(
      config.clusters.map((one: { name: string; cluster: { server: string } }) => [one.name, one.cluster.server]),
      [
        ['work', 'https://work'],
        ['skiff', 'https://127.0.0.1:7443'],
      ],
    )
    assert.equal(config['current-context'], 'skiff')
    assert.equal(config.users[0].user['client-key-data'], 'Sw==')
    await removeFromKubeconfig(file, entry)
    const removed = parse(await readFile(file, 'utf8'))
    assert.deepEqual([removed.clusters.length, removed.users.length, removed.contexts.length, removed.x], [1, 0, 0, 1])
  })

  it('gives back the context that was the current one before, whichever of several goes first', async () => {
    const file = join(dir, 'several')
    const current = async () => parse(await readFile(file, 'utf8'))['current-context']
    await writeFile(file, "apiVersion: v1\nkind: Config\ncontexts: [{ name: work, context: { cluster: work, user: '' } }]\ncurrent-context: work\n")
    for (const context of ['one', 'two', 'two']) await mergeKubeconfig(file, { ...entry, context })
    await removeFromKubeconfig(file, { context: 'one' })
    assert.equal(await current(), 'two')
    await removeFromKubeconfig(file, { context: 'two' })
    assert.equal(await current(), 'work')
    await removeFromKubeconfig(file, { context: 'work' })
    assert.equal(await current(), undefined)
  })

  it('stays whose it was, where it was, and as readable as it was', { skip: process.getuid?.() !== 0 ? 'needs root' : false }, async () => {
    const [real, link] = [join(dir, 'real'), join(dir, 'link')]
    await writeFile(real, 'apiVersion: v1\nkind: Config\n', { mode: 0o640 })
    await chown(real, 1234, 1234)
    await symlink(real, link)
    await mergeKubeconfig(link, entry)
    const { uid, gid, mode } = await stat(real)
    assert.deepEqual([uid, gid, mode & 0o777], [1234, 1234, 0o640])
    assert.equal((await lstat(link)).isSymbolicLink(), true)
    assert.match(await readFile(real, 'utf8'), /current-context: skiff/)
    // A new one belongs to whom the directory belongs.
    await mkdir(join(dir, 'home'))
    await chown(join(dir, 'home'), 1234, 1234)
    await mergeKubeconfig(join(dir, 'home', '.kube', 'config'), entry)
    for (const path of ['home/.kube', 'home/.kube/config']) assert.equal((await stat(join(dir, path))).uid, 1234)
    assert.equal((await stat(join(dir, 'home/.kube/config'))).mode & 0o777, 0o600)
  })

  it('writes one of its own', async () => {
    const file = join(dir, 'own')
    await writeKubeconfig(file, { ...entry, credentials: { token: 't' } })
    const config = parse(await readFile(file, 'utf8'))
    assert.equal(config.contexts[0].context.user, 'skiff')
    assert.equal(config.users[0].user.token, 't')
  })
})
