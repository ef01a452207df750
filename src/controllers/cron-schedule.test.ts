import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchedule, zonedTimestamp } from './cron-schedule.ts'

const after = (schedule: string, time: string, zone?: string, count = 1): string[] => {
  const parsed = parseSchedule(schedule, zone)
  const found: string[] = []
  let at: number | undefined = Date.parse(time)
  for (let i = 0; i < count && at !== undefined; i++) {
    at = parsed.next(at)
    if (at !== undefined) found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

test('schedules are due when crontab(5) says', () => {
  const cases: [string, string, string][] = [
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01'],
    ['*/15 * * * *', '2026-01-01T00:15:00Z', '2026-01-01T00:30'],
    ['5/20 * * * *', '2026-01-01T00:26:00Z', '2026-01-01T00:45'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['30 3 * * mon-fri', '2026-01-02T04:00:00Z', '2026-01-05T03:30'],
    // Both a day and a weekday: either.
    ['0 0 13 * 5', '2026-03-01T00:00:00Z', '2026-03-06T00:00'],
    // One of them stands for all: both.
    ['0 0 * * 5', '2026-03-01T00:00:00Z', '2026-03-06T00:00'],
    ['0 12 1 jan,JUL ?', '2026-02-01T00:00:00Z', '2026-07-01T12:00'],
    ['@monthly', '2026-02-01T00:00:00Z', '2026-03-01T00:00'],
    ['@weekly', '2026-02-01T00:00:00Z', '2026-02-08T00:00'],
    ['@every 1h30m', '2026-02-01T00:00:00Z', '2026-02-01T01:30'],
  ]
  for (const [schedule, time, expected] of cases) assert.deepEqual(after(schedule, time), [expected], schedule)
})

test('a schedule that never comes is found to be so', () => {
  assert.deepEqual(after('0 0 31 2 *', '2026-01-01T00:00:00Z'), [])
})

test('time zones: an hour that is skipped is not due, one that comes twice is due twice', () => {
  assert.deepEqual(after('0 9 * * *', '2026-01-01T00:00:00Z', 'Asia/Kolkata'), ['2026-01-01T03:30'])
  assert.deepEqual(after('30 2 * * *', '2026-03-28T00:00:00Z', 'Europe/Berlin', 2), ['2026-03-28T01:30', '2026-03-30T00:30'])
  assert.deepEqual(after('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin', 3), ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-26T01:30'])
  assert.deepEqual(after('0 0 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin', 3), ['2026-03-28T23:00', '2026-03-29T22:00', '2026-03-30T22:00'])
  assert.throws(() => parseSchedule('0 0 * * *', 'Nowhere/Here'), RangeError)
})

test('a time is written with the offset of its zone', () => {
  const time = Date.parse('2026-07-01T10:00:00Z')
  assert.equal(zonedTimestamp(time), '2026-07-01T10:00:00Z')
  assert.equal(zonedTimestamp(time, 'Europe/Berlin'), '2026-07-01T12:00:00+02:00')
  assert.equal(zonedTimestamp(time, 'America/St_Johns'), '2026-07-01T07:30:00-02:30')
})
