/** The contract of node providers over each of them, and what is of the external one alone. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { realClock } from '../machinery/real-clock.ts'
import { externalProvider } from './external/external-provider.ts'
import type { NodePool, NodePoolSpec } from './node-pool.ts'
import { nodeProviderContract } from './node-provider.contract.ts'
import { madeNodes } from './providers/made-nodes.ts'
import { AutoscalerServer } from './testing/autoscaler-server.ts'
import { PretendMachines } from './testing/pretend-machines.ts'
import { end, startProvider } from './testing/start-provider.ts'

const poolOf = (spec: NodePoolSpec, name = 'pool'): NodePool => ({ metadata: { name, uid: '', resourceVersion: '', creationTimestamp: '' }, spec })
const template = { capacity: { cpu: 4, memory: '16Gi' }, labels: { size: 'large' } }

for (const kind of ['Local', 'Simulated'] as const)
  nodeProviderContract(kind, async () => {
    const server = await AutoscalerServer.start()
    const { client, clock } = server
    const provider = madeNodes({ maker: new PretendMachines(client, clock), client, clock })
    const pool = poolOf({ kind, minSize: 0, maxSize: 5, template, ...(kind === 'Simulated' ? { simulated: { startSeconds: 1 } } : {}) })
    return { provider, pool, wait: () => clock.advance(100), stop: () => server.stop() }
  })

let server: AutoscalerServer
before(async () => {
  server = await AutoscalerServer.start()
})
after(() => server.stop())

const external = (address: string, group: string) => poolOf({ kind: 'External', minSize: 0, maxSize: 5, external: { address, group } })

nodeProviderContract('External', async () => {
  const { address, child } = await startProvider()
  const provider = externalProvider({ client: server.client, clock: realClock })
  return { provider, pool: external(address, 'large'), wait: () => realClock.sleep(20), stop: () => end(child) }
})

test('what only an external provider says', async () => {
  const { address, child } = await startProvider()
  const provider = externalProvider({ client: server.client, clock: realClock })
  try {
    const large = await provider.group(external(address, 'large'))
    assert.deepEqual(await large.settings(), { utilizationPercent: 70, unneededSeconds: 2.5 })
    await assert.rejects(large.increase(6), /^Error: the provider at 127\.0\.0\.1:\d+ refused NodeGroupIncreaseSize: at most 5 nodes$/)
    await assert.rejects(provider.group(external(address, 'other')), /has no node group 'other'; it has failing, large, slow, small/)
    const slow = await provider.group(external(address, 'slow'))
    assert.deepEqual(await slow.settings(), {})
    await slow.increase(2)
    assert.deepEqual([await slow.targetSize(), (await slow.instances()).length], [2, 0])
    await slow.takeBack(2)
    assert.equal(await slow.targetSize(), 0)
    const failing = await provider.group(external(address, 'failing'))
    await failing.increase(1)
    assert.deepEqual((await failing.instances())[0]?.error, { code: 'OUT_OF_STOCK', message: 'none is left' })
    await end(child)
    await assert.rejects(large.targetSize(), /the provider at 127\.0\.0\.1:\d+ could not be reached for NodeGroupTargetSize/)
    await assert.rejects(provider.refresh())
    await assert.rejects(provider.group(external(address, 'large')), /the provider at/)
  } finally {
    await provider.close()
    await end(child)
  }
})
