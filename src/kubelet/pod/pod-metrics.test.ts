import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { Pod } from '../../client/resources.ts'
import { MetricRegistry } from '../../machinery/metrics/registry.ts'
import { type Labels, valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import type { BenchOptions } from '../testing/node-bench.ts'
import { NodeBench } from '../testing/node-bench.ts'

describe('what a kubelet tells of its pods', () => {
  let bench: NodeBench
  let metrics: MetricRegistry
  const start = async (options: BenchOptions = {}) => {
    bench = await NodeBench.start({ metrics, ...options })
  }
  const value = (name: string, labels?: Labels) => valueIn(metrics.text(), `kubelet_${name}`, labels)
  beforeEach(() => {
    metrics = new MetricRegistry()
  })
  afterEach(() => bench.stop())

  it('how long one takes to run, and how long of that is not its image and its init containers', async () => {
    await start({ lives: { init: { runMs: 20_000 }, main: { startDelayMs: 2000 } }, pull: () => ({ takesMs: 30_000, size: 50 << 20 }) })
    await bench.createPod('web', { initContainers: [{ name: 'init' }] })
    await bench.untilReady('web')
    assert.equal(value('pod_start_duration_seconds_count'), 1)
    assert.ok(value('pod_start_duration_seconds_sum') >= 52, String(value('pod_start_duration_seconds_sum')))
    assert.equal(value('pod_start_sli_duration_seconds_count'), 1)
    const sli = value('pod_start_sli_duration_seconds_sum')
    assert.ok(sli >= 2 && sli < 4, String(sli))
    const pulled = { image_size_in_bytes: '10MB-100MB' }
    assert.deepEqual([value('image_pull_duration_seconds_count', pulled), Math.round(value('image_pull_duration_seconds_sum', pulled))], [1, 30])
    assert.equal(value('started_pods_total'), 1)
    assert.equal(value('started_containers_total', { container_type: 'init_container' }), 1)
    assert.equal(value('started_containers_total', { container_type: 'container' }), 1)
    assert.equal(value('run_podsandbox_duration_seconds_count'), 1)
    assert.equal(value('containers_per_pod_count_sum'), 1)
    assert.ok(value('pod_status_sync_duration_seconds_count') > 0)
    assert.equal(value('pod_worker_duration_seconds_count', { operation_type: 'create' }), 1)
    assert.ok(value('pod_worker_duration_seconds_count', { operation_type: 'sync' }) > 0)
    await bench.client.delete(Pod, { name: 'web', namespace: 'default' })
    await bench.until('it is gone', async () => (await bench.find('web')) === undefined)
    assert.ok(value('pod_worker_duration_seconds_count', { operation_type: 'terminating' }) > 0)
    assert.equal(value('pod_start_duration_seconds_count'), 1)
  })

  it('what could not be started, and why', async () => {
    await start({ lives: { main: { startError: 'no such file' } } })
    await bench.createPod('broken')
    await bench.until('it was tried', () => value('started_containers_errors_total', { container_type: 'container', code: 'RunContainerError' }) > 0)
    assert.equal(value('pod_start_duration_seconds_count'), 0)
    assert.ok(value('pleg_relist_duration_seconds_count') > 0)
    await bench.until('it was listed again', () => value('pleg_relist_interval_seconds_count') > 0)
    assert.equal(Math.round(value('pleg_relist_interval_seconds_sum') / value('pleg_relist_interval_seconds_count')), 10)
  })

  it('who was evicted because of what', async () => {
    let available = 2 ** 30
    const observe = async () => new Map([['memory.available', { available, capacity: 2 ** 30 }] as const])
    await start({ kubelet: { eviction: { source: { observe }, everySeconds: 1 } } })
    await bench.createPod('web')
    await bench.untilReady('web')
    assert.equal(value('evictions', { eviction_signal: 'memory.available' }), 0)
    available = 0
    await bench.untilPod('web', 'is evicted', ({ status }) => status?.reason === 'Evicted')
    assert.equal(value('evictions', { eviction_signal: 'memory.available' }), 1)
  })
})
