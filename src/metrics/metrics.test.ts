import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Node, Pod } from '../client/resources.ts'
import { Bench } from '../controllers/testing/bench.ts'
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import { type MetricsServer, startMetricsServer } from './metrics-server.ts'
import { type NodeSamples, parseSamples } from './resource-samples.ts'
import { durationText, measure } from './usage.ts'

const text = (cpu: number, memory: number, at: number, started: number) => `# HELP node_cpu_usage_seconds_total of the node
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total ${cpu * 2} ${at}
node_memory_working_set_bytes ${memory * 2} ${at}
container_cpu_usage_seconds_total{container="main",namespace="default",pod="web"} ${cpu} ${at}
container_memory_working_set_bytes{container="main",namespace="default",pod="web"} ${memory} ${at}
container_start_time_seconds{container="main",namespace="default",pod="web"} ${started / 1000}
`

describe('samples', () => {
  it('are read from what a kubelet says; what lacks a value is left out', () => {
    const { node, pods } = parseSamples(`${text(1.5, 2048, 5000, 1000)}container_cpu_usage_seconds_total{container="x",namespace="default",pod="half"} 1\n`, 1)
    assert.deepEqual(node, { at: 5000, cpuSeconds: 3, memoryBytes: 4096, startedAt: 0 })
    assert.deepEqual([...pods.keys()], ['default/web'])
    assert.deepEqual(pods.get('default/web')?.get('main'), { at: 5000, cpuSeconds: 1.5, memoryBytes: 2048, startedAt: 1000 })
  })

  it('become usage over the time between them', () => {
    const sample = (at: number, cpuSeconds: number, startedAt = 1) => ({ at, cpuSeconds, memoryBytes: 3 << 20, startedAt })
    assert.deepEqual(measure(sample(130_000, 5.5), sample(115_000, 1), 15_000), { at: 130_000, windowMs: 15_000, usage: { cpu: '300m', memory: '3Mi' } })
    assert.equal(measure(sample(130_000, 5.5), undefined, 15_000), undefined)
    // Started again in between: its counter began anew.
    assert.equal(measure(sample(130_000, 0.1, 125_000), sample(115_000, 9), 15_000), undefined)
    assert.deepEqual(measure(sample(130_000, 1, 118_000), sample(115_000, 9), 15_000)?.windowMs, 12_000)
    assert.deepEqual([durationText(15_020), durationText(60_000), durationText(3_661_500)], ['15.02s', '1m0s', '1h1m1.5s'])
  })
})

describe('the metrics server', () => {
  it('asks every 15 s, tells what it can compare, and nothing of a kubelet that is silent', async () => {
    const bench = await Bench.start()
    const started = bench.clock.now() - 600_000
    await bench.client.create(Node, { metadata: { name: 'a' }, spec: {} } as V1Node)
    await bench.client.create(Pod, {
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      spec: { nodeName: 'a', containers: [{ name: 'main', image: 'x' }] },
    } as unknown as V1Pod)
    let asked = 0
    let silent = false
    const scrape = async (): Promise<NodeSamples> => {
      if (silent) throw new Error('connection refused')
      asked++
      const now = bench.clock.now()
      return parseSamples(text((now - started) / 4000, 1 << 20, now, started), now)
    }
    let server: MetricsServer | undefined
    const running = bench.runWith((context) => {
      server = startMetricsServer(context, { kubelet: {}, scrape })
      return server
    })
    await bench.settle(1000)
    assert.deepEqual([asked, server?.ready, server?.pods(), server?.nodes()], [1, true, [], []])
    await bench.settle(15_000)
    const [pod] = server?.pods('default') ?? []
    assert.deepEqual([pod?.metadata.labels, pod?.window, pod?.containers], [{ app: 'web' }, '15s', [{ name: 'main', usage: { cpu: '250m', memory: '1Mi' } }]])
    assert.deepEqual(server?.node('a')?.usage, { cpu: '500m', memory: '2Mi' })
    assert.equal(server?.pod('other', 'web'), undefined)
    silent = true
    await bench.settle(15_000)
    assert.deepEqual(server?.pods(), [])
    silent = false
    await bench.settle(15_000)
    assert.deepEqual([server?.pods().length, server?.node('a')?.window], [1, '30s'])
    await bench.client.delete(Pod, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
    await bench.settle()
    assert.deepEqual(server?.pods(), [])
    await running.stop()
    await bench.stop()
  })
})
