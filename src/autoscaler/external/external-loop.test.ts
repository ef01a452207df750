/** Pools of an external provider through the whole loop: what is asked over a real connection, and what comes of it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Secret } from '../../client/resources.ts'
import { createAuthority, type KeyPair } from '../../cluster/pki/certificate-authority.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { NodePool } from '../node-pool.ts'
import { ExternalCluster } from '../testing/external-cluster.ts'
import { clientPair, encryptProvider } from '../testing/provider-certificates.ts'
import { readCloudConfig } from './cloud-config.ts'

async function withCluster(run: (cluster: ExternalCluster) => Promise<void>, prepare?: Parameters<typeof ExternalCluster.start>[0]): Promise<void> {
  const cluster = await ExternalCluster.start(prepare)
  try {
    await run(cluster)
  } finally {
    await cluster.stop()
  }
}

/** Grows for pods and shrinks when they are gone. */
async function growAndShrink(cluster: ExternalCluster): Promise<void> {
  await cluster.pods(2)
  await cluster.until('the pods run', async () => (await cluster.running()) === 2)
  assert.deepEqual([cluster.group('large').target, (await cluster.nodes()).length], [2, 2])
  await cluster.deletePods()
  await cluster.until('no instance is left', () => cluster.group('large').instances.length === 0)
  await cluster.until('nor an object of one', async () => (await cluster.nodes()).length === 0)
  assert.equal(cluster.group('large').target, 0)
}

test('nodes come and go, and their objects with them', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large')
    await growAndShrink(cluster)
  }))

test('a Secret holds the certificates; who has others is not let in, and a renewed Secret is followed', () => {
  let authority: KeyPair | undefined
  return withCluster(
    async (cluster) => {
      assert.ok(authority)
      const data = ({ certificate, key }: KeyPair, ca: string) =>
        Object.fromEntries(
          Object.entries({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': ca }).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
        )
      const strangers = await createAuthority('strangers', realClock.now())
      const at = { name: 'provider', namespace: 'kube-system' }
      await cluster.pool('large', { address: cluster.address, tlsSecretName: 'provider' })
      const problem = async () => (await cluster.condition('large', 'Ready'))?.message ?? ''
      await cluster.until('the missing Secret is told of', async () => /secrets "provider" not found/.test(await problem()))
      await cluster.client.create(Secret, { metadata: at, data: data(await clientPair(strangers), authority.certificate) })
      await cluster.until('it is not let in', async () => /the provider at 127\.0\.0\.1:\d+ could not be reached for/.test(await problem()))
      await cluster.client.patch(Secret, at, 'merge', { data: data(await clientPair(authority), authority.certificate) })
      await cluster.until('it is let in', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
      await growAndShrink(cluster)
    },
    async (cluster) => {
      authority = await encryptProvider(cluster.directory)
      return undefined
    },
  )
})

test('a cloud config says for all pools where the provider is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-cloud-config-'))
  return withCluster(
    async (cluster) => {
      await cluster.pool('large', {})
      await growAndShrink(cluster)
    },
    async (cluster) => {
      const pair = await clientPair(await encryptProvider(cluster.directory))
      writeFileSync(join(directory, 'client.crt'), pair.certificate)
      writeFileSync(join(directory, 'client.key'), pair.key)
      await cluster.startProvider()
      const [{ address }] = [cluster]
      await cluster.killProvider()
      const file = join(directory, 'cloud-config.yaml')
      writeFileSync(file, `address: ${address}\nkey: client.key\ncert: client.crt\ncacert: ${join(cluster.directory, 'ca.crt')}\n`)
      return readCloudConfig(file)
    },
  ).finally(() => rmSync(directory, { recursive: true }))
})

test('a cloud config that is wrong is refused in a sentence', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-cloud-config-'))
  const cases: [string, RegExp][] = [
    ['', /must be a map with an address$/],
    ['key: x', /says no address/],
    ['address: 1', /has address that is no text/],
    ['address: a:1\nkey: x', /must have key, cert and cacert together/],
    ['address: a:1\nkey: x\ncert: y\ncacert: z', /names a file that cannot be read: ENOENT/],
    ['address: a:1\ngrpc_timeout: soon', /grpc_timeout that is no time/],
    ['address: [', /cannot be read/],
  ]
  const file = join(directory, 'config')
  for (const [text, expected] of cases) {
    writeFileSync(file, text)
    await assert.rejects(readCloudConfig(file), expected, text)
  }
  rmSync(directory, { recursive: true })
  await assert.rejects(readCloudConfig(file), /^Error: the cloud config \S+ cannot be read: ENOENT/)
})

test('a pool that names no provider, where no cloud config does, says so', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large', {})
    await cluster.until('it is told', async () => /external\.address is missing/.test((await cluster.condition('large', 'Ready'))?.message ?? ''))
  }))

test('a node group is of one pool alone, the older one; the other goes and touches nothing', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large', undefined, { minSize: 1 })
    await cluster.until('its node is there', async () => (await cluster.nodes()).length === 1)
    await cluster.server.clock.advance(1000)
    await cluster.pool('again', { address: cluster.address, group: 'large' }, { minSize: 3 })
    await cluster.until(
      'it is told',
      async () => (await cluster.condition('again', 'Ready'))?.message === 'its node group is that of the pool large, and can be of one alone',
    )
    assert.equal(cluster.group('large').target, 1)
    await cluster.client.delete(NodePool, { name: 'again' })
    assert.equal(await cluster.client.find(NodePool, { name: 'again' }), undefined, 'nothing holds it')
    assert.equal(cluster.group('large').target, 1)
  }))

test('a provider that is killed in the middle and comes again goes on where it was', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large')
    await cluster.until('it is known', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
    // It hears the wish, and dies before it answers.
    cluster.behave({ delayMs: { NodeGroupIncreaseSize: 60_000 } })
    await cluster.pods(2)
    await cluster.until('it was asked', () => cluster.group('large').target === 2)
    await cluster.killProvider()
    cluster.behave({})
    await cluster.until('its absence is told', async () => /could not be reached for/.test((await cluster.condition('large', 'Ready'))?.message ?? ''))
    assert.ok((await cluster.events()).some((event) => /^ProviderFailed: the provider at 127\.0\.0\.1:\d+ could not be reached for/.test(event)))
    await cluster.startProvider()
    await cluster.until('the pods run', async () => (await cluster.running()) === 2)
    assert.deepEqual([cluster.group('large').target, cluster.group('large').instances.length], [2, 2], 'nothing was asked for twice')
    // And while nodes go.
    cluster.behave({ delayMs: { NodeGroupDeleteNodes: 60_000 } })
    await cluster.deletePods()
    await cluster.until('one was to be deleted', () => cluster.group('large').instances.length < 2)
    await cluster.killProvider()
    cluster.behave({})
    await cluster.startProvider()
    await cluster.until('no node is left', async () => (await cluster.nodes()).length === 0)
    assert.deepEqual([cluster.group('large').target, cluster.group('large').instances.length], [0, 0])
  }))

test('an answer that comes too late is not waited for, and what it did is seen', () =>
  withCluster(
    async (cluster) => {
      await cluster.pool('large', {})
      await cluster.until('it is known', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
      cluster.behave({ delayMs: { NodeGroupIncreaseSize: 2000 } })
      await cluster.pods(1)
      await cluster.until('the pod runs', async () => (await cluster.running()) === 1)
      assert.ok(
        (await cluster.events()).some((event) => /^FailedToScaleUpGroup: .*the provider at \S+ did not answer NodeGroupIncreaseSize within 0\.4s$/.test(event)),
      )
      assert.equal(cluster.group('large').target, 1)
      cluster.behave({ delayMs: { NodeGroupTargetSize: 2000 } })
      await cluster.until('it is told', async () => /did not answer NodeGroupTargetSize/.test((await cluster.condition('large', 'Ready'))?.message ?? ''))
      assert.equal((await cluster.nodes()).length, 1, 'no node goes meanwhile')
      cluster.behave({})
      await cluster.until('it is over', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
    },
    async (cluster) => {
      await cluster.startProvider()
      const { address } = cluster
      await cluster.killProvider()
      return { address, timeoutMs: 400, credentials: undefined }
    },
  ))

test('an answer that is wrong is told of, and nothing is done upon it', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large')
    await cluster.pods(1)
    await cluster.until('the pod runs', async () => (await cluster.running()) === 1)
    const cases: [Parameters<ExternalCluster['behave']>[0], RegExp][] = [
      [{ wrong: ['size'] }, /answered NodeGroupTargetSize of large with -1 nodes/],
      [{ wrong: ['instance'] }, /answered NodeGroupNodes of large with an instance without an id/],
      [{ garbage: ['NodeGroupNodes'] }, /refused NodeGroupNodes: /],
      [{ garbage: ['NodeGroups'] }, /refused NodeGroups: /],
    ]
    for (const [behaviour, expected] of cases) {
      cluster.behave(behaviour)
      await cluster.until(String(expected), async () => expected.test((await cluster.condition('large', 'Ready'))?.message ?? ''))
      assert.deepEqual([(await cluster.nodes()).length, cluster.group('large').target], [1, 1])
    }
    cluster.behave({})
    await cluster.until('it is over', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
  }))

test('a template that is none is told of', () =>
  withCluster(async (cluster) => {
    cluster.behave({ garbage: ['NodeGroupTemplateNodeInfo'] })
    await cluster.pool('large')
    await cluster.until('it is told', async () => /NodeGroupTemplateNodeInfo/.test((await cluster.condition('large', 'Ready'))?.message ?? ''))
    cluster.behave({})
    await cluster.until('it is over', async () => (await cluster.condition('large', 'Ready'))?.status === 'True')
  }))

test('a deleted pool ends its instances; where the provider is away it says so, and may be let go', () =>
  withCluster(async (cluster) => {
    await cluster.pool('large', undefined, { minSize: 2 })
    await cluster.pool('small', undefined, { minSize: 1 })
    await cluster.until('all nodes are there', async () => (await cluster.nodes()).length === 3)
    await cluster.client.delete(NodePool, { name: 'large' })
    await cluster.until('it is gone', async () => !(await cluster.client.find(NodePool, { name: 'large' })))
    assert.deepEqual(cluster.group('large'), { target: 0, instances: [] })
    assert.equal((await cluster.nodes()).length, 1)
    await cluster.killProvider()
    await cluster.client.delete(NodePool, { name: 'small' })
    await cluster.until('it is told', async () => (await cluster.condition('small', 'Deleting'))?.reason === 'ProviderFailed')
    assert.match((await cluster.condition('small', 'Deleting'))?.message ?? '', /could not be reached for .*kubectl patch nodepool small --type=merge/)
    await cluster.client.patch(NodePool, { name: 'small' }, 'merge', { metadata: { finalizers: null } })
    assert.equal(await cluster.client.find(NodePool, { name: 'small' }), undefined)
    assert.equal((await cluster.nodes()).length, 1, 'its node stays')
  }))
