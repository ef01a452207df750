/** What the definition of NodePool lets pass, says no to, and how. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isApiError } from '../machinery/errors.ts'
import { NodePool } from './node-pool.ts'
import { ensureNodePools } from './node-pool-definition.ts'
import { AutoscalerServer } from './testing/autoscaler-server.ts'

let server: AutoscalerServer
before(async () => {
  server = await AutoscalerServer.start()
})
after(() => server.stop())

const template = { capacity: { cpu: 4, memory: '8Gi' } }

async function refusal(spec: object, name = 'pool'): Promise<string> {
  try {
    await server.client.create(NodePool, { metadata: { name }, spec } as never, { dryRun: true })
    return ''
  } catch (error) {
    if (!isApiError(error)) throw error
    return error.message
  }
}

test('pools of each kind are good; the least size is 0 where nothing is said', async () => {
  const pool = await server.client.create(NodePool, { metadata: { name: 'good' }, spec: { kind: 'Simulated', maxSize: 3, template } as never })
  assert.deepEqual([pool.spec.minSize, pool.spec.drainSeconds], [0, 600])
  const taints = [
    { key: 'example.com/gpu', value: 'yes', effect: 'NoSchedule' },
    { key: 'example.com/gpu', effect: 'NoExecute' },
  ]
  const labels = { 'example.com/size': 'large', plain: '' }
  assert.equal(await refusal({ kind: 'Local', minSize: 1, maxSize: 3, template: { ...template, labels, taints } }), '')
  assert.equal(await refusal({ kind: 'External', maxSize: 3, external: { address: 'provider.example.com:8086', group: 'large' } }), '')
  assert.equal(await refusal({ kind: 'External', maxSize: 3, external: {} }), '')
  assert.equal(
    await refusal({ kind: 'Simulated', maxSize: 3, template, simulated: { startSeconds: 3, failurePercent: 10 }, scaleDown: { unneededSeconds: 5 } }),
    '',
  )
})

test('what does not fit together is refused in a sentence', async () => {
  const local = { kind: 'Local', maxSize: 3, template }
  const cases: [object, RegExp][] = [
    [{ ...local, minSize: 4 }, /spec\.minSize: Invalid value: .*minSize must not be greater than maxSize/],
    [{ ...local, maxSize: undefined }, /spec\.maxSize: Required value/],
    [{ ...local, kind: 'Cloud' }, /spec\.kind: Unsupported value: "Cloud": supported values: "Local", "Simulated", "External"/],
    [{ ...local, template: { capacity: { cpu: '4' } } }, /template\.capacity must say at least cpu and memory/],
    [{ ...local, template: { capacity: { cpu: 'lots', memory: '1Gi' } } }, /spec\.template\.capacity\.cpu: Invalid value: "lots"/],
    [{ ...local, template: { capacity: { cpu: -1, memory: '1Gi' } } }, /spec\.template\.capacity\.cpu: Invalid value/],
    [{ ...local, template: { ...template, labels: { '-bad': 'x' } } }, /spec\.template\.labels: Invalid value: .*the name of a label/],
    [{ ...local, template: { ...template, labels: { good: 'not good' } } }, /spec\.template\.labels\.good: Invalid value: "not good"/],
    [{ ...local, template: { ...template, taints: [{ key: 'a', effect: 'Never' }] } }, /taints\[0\]\.effect: Unsupported value: "Never"/],
    [{ ...local, template: { ...template, taints: [{ key: 'a b', effect: 'NoSchedule' }] } }, /taints\[0\]\.key: Invalid value: "a b"/],
    [{ ...local, template: { ...template, taints: [1, 2].map((n) => ({ key: 'a', effect: 'NoSchedule', value: `${n}` })) } }, /Duplicate value/],
    [{ ...local, external: { address: 'a:1' } }, /external belongs to pools of kind External/],
    [{ kind: 'External', maxSize: 1 }, /external belongs to pools of kind External/],
    [{ kind: 'External', maxSize: 1, external: { address: 'nowhere' } }, /spec\.external\.address: Invalid value: "nowhere"/],
    [{ kind: 'External', maxSize: 1, external: { address: 'a:1' }, template }, /template must be absent/],
    [{ kind: 'External', maxSize: 1, external: { tlsSecretName: 'provider' } }, /external\.tlsSecretName belongs to an address/],
    [{ ...local, drainSeconds: -1 }, /spec\.drainSeconds: Invalid value: -1/],
    [{ ...local, simulated: {} }, /simulated belongs to pools of kind Simulated alone/],
    [{ ...local, scaleDown: { utilizationPercent: 101 } }, /spec\.scaleDown\.utilizationPercent: Invalid value: 101/],
  ]
  for (const [spec, expected] of cases) assert.match(await refusal(spec), expected, JSON.stringify(spec))
  assert.match(await refusal(local, 'default'), /nodes that are of no pool are labelled default/)
  assert.match(await refusal(local, `${'a'.repeat(35)}`), /at most 34 lower-case letters/)
})

test('the node group of an external pool stays, its address may change', async () => {
  const at = { name: 'external' }
  await server.client.create(NodePool, { metadata: at, spec: { kind: 'External', minSize: 0, maxSize: 3, external: { address: 'a:1' } } })
  const change = (external: object) => server.client.patch(NodePool, at, 'merge', { spec: { external } })
  await change({ address: 'b:1' })
  await assert.rejects(change({ group: 'other' }), /spec\.external: Invalid value: .*the node group of a pool cannot change/)
})

test('the kind stays, the sizes may change, also by the scale subresource', async () => {
  const at = { name: 'good' }
  await assert.rejects(server.client.patch(NodePool, at, 'merge', { spec: { kind: 'Local' } }), /the kind of a pool cannot change/)
  await server.client.subresource(NodePool, at, 'scale', 'update', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: at, spec: { replicas: 2 } })
  assert.equal((await server.client.get(NodePool, at)).spec.minSize, 2)
  const tooMany = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: at, spec: { replicas: 9 } }
  await assert.rejects(server.client.subresource(NodePool, at, 'scale', 'update', tooMany), /minSize must not be greater than maxSize/)
})

test('bringing the definition again changes nothing', async () => {
  await ensureNodePools(server.client)
  assert.equal((await server.client.get(NodePool, { name: 'good' })).spec.maxSize, 3)
})
