import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Timer } from './clock.ts'
import { VirtualClock } from './virtual-clock.ts'

it('fires by time, and what is due at the same time in the order it was asked for', async () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  for (const [name, ms] of [
    ['c', 20],
    ['a', 10],
    ['d', 20],
    ['b', 10],
    ['late', 31],
  ] as const)
    clock.after(ms, () => fired.push(`${name}@${clock.monotonic()}`))
  await clock.advance(30)
  assert.deepEqual(fired, ['a@10', 'b@10', 'c@20', 'd@20'])
  assert.equal(clock.monotonic(), 30)
  await clock.advance(1)
  assert.equal(fired.at(-1), 'late@31')
})

it('a timer that is cancelled never fires, be it before, while another fires, or after it has fired', async () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  const before = clock.after(5, () => fired.push('before'))
  const first = clock.after(10, () => {
    fired.push('first')
    second.cancel()
    first.cancel()
  })
  const second = clock.after(10, () => fired.push('second'))
  before.cancel()
  before.cancel()
  await clock.advance(20)
  assert.deepEqual(fired, ['first'])
  second.cancel()
  await clock.advance(20)
  assert.deepEqual(fired, ['first'])
})

it('what a timer starts is due in the same advance, and every() goes on until cancelled', async () => {
  const clock = new VirtualClock()
  const fired: number[] = []
  clock.after(10, () => clock.after(5, () => fired.push(clock.monotonic())))
  const ticks: number[] = []
  const every = clock.every(4, () => {
    ticks.push(clock.monotonic())
    if (ticks.length === 3) every.cancel()
  })
  await clock.advance(15)
  assert.deepEqual(fired, [15])
  assert.deepEqual(ticks, [4, 8, 12])
})

it('orders thousands as a sorted list would, most of them cancelled', async () => {
  const clock = new VirtualClock({ seed: 3 })
  const fired: number[] = []
  const expected: { at: number; number: number }[] = []
  const cancelled: Timer[] = []
  for (let number = 0; number < 5000; number++) {
    const at = Math.floor(clock.random() * 100)
    const timer = clock.after(at, () => fired.push(number))
    if (number % 5 === 0) expected.push({ at, number })
    else cancelled.push(timer)
  }
  for (const timer of cancelled) timer.cancel()
  await clock.advance(100)
  expected.sort((a, b) => a.at - b.at || a.number - b.number)
  assert.deepEqual(
    fired,
    expected.map(({ number }) => number),
  )
})
