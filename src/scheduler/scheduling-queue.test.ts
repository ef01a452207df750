import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Pod } from '../machinery/schema/generated/types.ts'
import { VirtualClock } from '../machinery/virtual-clock.ts'
import type { ClusterEvent } from './framework.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

const pod = (name: string, priority = 0): V1Pod => ({
  metadata: { name, namespace: 'x', uid: name, resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [], priority },
})
const on = (...events: ClusterEvent[]) => new Set(events)

function setUp() {
  const clock = new VirtualClock()
  return { clock, queue: new SchedulingQueue(clock, () => {}) }
}

describe('scheduling queue', () => {
  it('gives pods by priority, then by age', async () => {
    const { clock, queue } = setUp()
    queue.add(pod('old'), 1)
    await clock.advance(10)
    queue.add(pod('young'), 2)
    queue.add(pod('important', 100), 3)
    assert.deepEqual([queue.pop()?.key, queue.pop()?.key, queue.pop()?.key, queue.pop()], ['x/important', 'x/old', 'x/young', undefined])
  })

  it('a rejected pod waits for the events its plugins wait for, and at least its backoff', async () => {
    const { clock, queue } = setUp()
    queue.add(pod('a'), 1)
    const first = queue.pop()
    assert.ok(first)
    queue.reject(first, on('node-added'))
    queue.wake('pvc', 5)
    await clock.advance(5_000)
    assert.equal(queue.pop(), undefined, 'another event does not wake it')
    queue.wake('node-added', 7)
    const second = queue.pop()
    assert.deepEqual(second?.seen, [7], 'and it knows what woke it')
    assert.ok(second)
    queue.reject(second, on('node-added'))
    queue.wake('node-added', 8)
    assert.equal(queue.pop(), undefined, 'its backoff is not over')
    await clock.advance(2_000)
    assert.equal(queue.pop()?.key, 'x/a')
  })

  it('an event during the cycle is not lost', async () => {
    const { clock, queue } = setUp()
    queue.add(pod('a'), 1)
    const first = queue.pop()
    assert.ok(first)
    queue.wake('node-added', 2)
    queue.reject(first, on('node-added'))
    await clock.advance(1_000)
    assert.equal(queue.pop()?.key, 'x/a')
  })

  it('tries a forgotten pod after five minutes', async () => {
    const { clock, queue } = setUp()
    queue.add(pod('a'), 1)
    const first = queue.pop()
    assert.ok(first)
    queue.reject(first, on())
    await clock.advance(4 * 60_000)
    assert.equal(queue.pop(), undefined)
    await clock.advance(2 * 60_000)
    assert.equal(queue.pop()?.key, 'x/a')
  })

  it('a removed pod never comes out', async () => {
    const { clock, queue } = setUp()
    queue.add(pod('a'), 1)
    queue.remove('x/a')
    assert.equal(queue.pop(), undefined)
    queue.add(pod('b'), 1)
    const b = queue.pop()
    assert.ok(b)
    queue.retry(b)
    queue.remove('x/b')
    await clock.advance(60_000)
    assert.equal(queue.pop(), undefined)
  })
})
