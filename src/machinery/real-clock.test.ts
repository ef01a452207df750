import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realClock } from './real-clock.ts'

test('who sleeps longer than a timer can last is not woken at once; what is due already is, without complaint', async () => {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  const end = new AbortController()
  let woken = false
  const long = realClock.sleep(2 ** 40, end.signal).then(
    () => {
      woken = true
    },
    () => {},
  )
  await realClock.sleep(-50)
  // Both timers are behind: those of a delay that is too long fire after 1 ms.
  await new Promise((resolve) => setTimeout(resolve, 20))
  end.abort()
  await long
  process.off('warning', hear)
  assert.deepEqual([woken, warnings.map(({ name }) => name)], [false, []])
})
