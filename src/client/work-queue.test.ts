import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import { WorkQueue } from './work-queue.ts'

const make = () => {
  const clock = new VirtualClock()
  return { clock, queue: new WorkQueue({ clock }) }
}

test('a key is handed out once, however often it was added, with all that woke it', async () => {
  const { queue } = make()
  queue.add('a', 3)
  queue.add('a', 5)
  queue.add('a', 5)
  queue.add('b')
  assert.deepEqual(await queue.take(), { key: 'a', seen: [3, 5] })
  assert.deepEqual(await queue.take(), { key: 'b', seen: [] })
  assert.equal(queue.length, 0)
})

test('a key that is worked on is not handed out again before it is done', async () => {
  const { clock, queue } = make()
  queue.add('a', 1)
  await queue.take()
  queue.add('a', 2)
  let second: unknown
  void queue.take().then((work) => {
    second = work
  })
  await clock.advance(1000)
  assert.equal(second, undefined)
  queue.done('a')
  await clock.advance(0)
  assert.deepEqual(second, { key: 'a', seen: [2] })
})

test('of several delays the shortest counts', async () => {
  const { clock, queue } = make()
  queue.addAfter('a', 5000)
  queue.addAfter('a', 1000)
  queue.addAfter('a', 3000)
  await clock.advance(999)
  assert.equal(queue.length, 0)
  await clock.advance(1)
  assert.equal(queue.length, 1)
  await queue.take()
  queue.done('a')
  await clock.advance(10_000)
  assert.equal(queue.length, 0)
})

test('failures double the delay until it is forgotten', async () => {
  const { clock, queue } = make()
  for (const delay of [5, 10, 20, 40]) {
    queue.addRateLimited('a')
    await clock.advance(delay - 1)
    assert.equal(queue.length, 0)
    await clock.advance(1)
    assert.equal(queue.length, 1)
    await queue.take()
    queue.done('a')
  }
  queue.forget('a')
  queue.addRateLimited('a')
  await clock.advance(5)
  assert.equal(queue.length, 1)
})

test('many failures together come back at a limited rate', async () => {
  const { clock, queue } = make()
  for (let i = 0; i < 150; i++) queue.addRateLimited(`key-${i}`)
  await clock.advance(5)
  assert.equal(queue.length, 100)
  await clock.advance(1000)
  assert.equal(queue.length, 110)
  await clock.advance(4000)
  assert.equal(queue.length, 150)
})

test('who waits when it is shut down gets nothing', async () => {
  const { clock, queue } = make()
  queue.addAfter('later', 10)
  const waiting = queue.take()
  queue.shutDown()
  assert.equal(await waiting, undefined)
  await clock.advance(100)
  assert.equal(await queue.take(), undefined)
})

test('what it does is told under the names that dashboards know', async () => {
  const clock = new VirtualClock()
  const registry = new MetricRegistry()
  const queue = new WorkQueue({ clock, metrics: { registry, name: 'deployment' } })
  const value = (name: string) =>
    parseStrictly(registry.text())
      .get(name.replace(/_(sum|count)$/, ''))
      ?.samples.find((one) => one.name === name)?.value
  queue.add('a')
  queue.add('a')
  queue.add('b')
  assert.deepEqual([value('workqueue_depth'), value('workqueue_adds_total')], [2, 2])
  await clock.advance(2000)
  await queue.take()
  await clock.advance(3000)
  assert.deepEqual([value('workqueue_depth'), value('workqueue_longest_running_processor_seconds'), value('workqueue_queue_duration_seconds_sum')], [1, 3, 2])
  queue.addRateLimited('a')
  queue.done('a')
  assert.deepEqual([value('workqueue_retries_total'), value('workqueue_work_duration_seconds_sum'), value('workqueue_unfinished_work_seconds')], [1, 3, 0])
  queue.shutDown()
  assert.deepEqual([value('workqueue_depth'), value('workqueue_adds_total')], [undefined, 2])
})
