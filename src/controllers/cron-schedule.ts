/**
 * When a cron schedule is due, in a time zone. A wall time that the clock skips in spring is not due that day; one
 * that comes twice in autumn is due twice.
 */

export interface CronSchedule {
  /** The first time after `time` (milliseconds since the epoch); undefined when there is none within five years. */
  next(time: number): number | undefined
}

const minute = 60_000
const hour = 60 * minute
const searchMs = 5 * 366 * 24 * hour

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** A value of `any` leaves the choice of the day to the other of day and weekday. */
interface Field {
  values: ReadonlySet<number>
  any: boolean
}

export class ScheduleError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ScheduleError'
  }
}

/** Throws {@link ScheduleError} for what is no schedule, and RangeError for what is no time zone. */
export function parseSchedule(text: string, timeZone = 'UTC'): CronSchedule {
  if (text.startsWith('@every ')) return every(durationOf(text.slice('@every '.length)))
  const fields = (descriptors[text] ?? text).trim().split(/\s+/)
  if (fields.length !== 5) throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  const [minutes = '', hours = '', days = '', monthsOfYear = '', daysOfWeek = ''] = fields
  const wall = wallClock(timeZone)
  const at = {
    minute: parseField(minutes, 0, 59),
    hour: parseField(hours, 0, 23),
    day: parseField(days, 1, 31),
    month: parseField(monthsOfYear, 1, 12, months),
    weekday: parseField(daysOfWeek, 0, 6, weekdays),
  }
  const dayMatches = (day: number, weekday: number) => {
    const [first, second] = [at.day.values.has(day), at.weekday.values.has(weekday)]
    return at.day.any || at.weekday.any ? first && second : first || second
  }
  return {
    next(time) {
      let candidate = (Math.floor(time / minute) + 1) * minute
      while (candidate - time < searchMs) {
        const now = wall(candidate)
        if (!at.month.values.has(now.month) || !dayMatches(now.day, now.weekday)) {
          // In long steps up to the last hours of the day: a day may have an hour more or less.
          candidate += now.hour < 21 ? (21 - now.hour) * hour - now.minute * minute : (60 - now.minute) * minute
        } else if (!at.hour.values.has(now.hour)) candidate += (60 - now.minute) * minute
        else if (!at.minute.values.has(now.minute)) candidate += minute
        else return candidate
      }
      return undefined
    },
  }
}

function every(duration: number): CronSchedule {
  const step = Math.max(1000, Math.floor(duration / 1000) * 1000)
  return { next: (time) => Math.floor((time + step) / 1000) * 1000 }
}

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: minute, h: hour }

function durationOf(text: string): number {
  if (!/^(\d+(\.\d+)?(ns|us|ms|s|m|h))+$/.test(text)) throw new ScheduleError(`failed to parse duration @every ${text}: time: invalid duration "${text}"`)
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0)
}

function parseField(text: string, min: number, max: number, names: readonly string[] = []): Field {
  const values = new Set<number>()
  let any = false
  for (const part of text.split(',')) {
    const [range = '', stepText] = part.split('/')
    const step = stepText === undefined ? 1 : Number(stepText)
    const isAny = range === '*' || range === '?'
    const [fromText = '', toText] = range.split('-')
    const from = isAny ? min : numberOf(fromText, min, names)
    const to = isAny ? max : toText !== undefined ? numberOf(toText, min, names) : stepText === undefined ? from : max
    if (!Number.isInteger(step) || step < 1 || from < min || to > max || from > to) throw new ScheduleError(`cannot read ${part} of the schedule`)
    if (isAny && step === 1) any = true
    for (let value = from; value <= to; value += step) values.add(value)
  }
  return { values, any }
}

function numberOf(text: string, min: number, names: readonly string[]): number {
  const named = names.indexOf(text.toLowerCase())
  if (named >= 0) return named + min
  if (!/^\d+$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`)
  return Number(text)
}

/** What the clocks on the wall show there. */
function wallClock(timeZone: string): (time: number) => { month: number; day: number; weekday: number; hour: number; minute: number } {
  const offset = timeZone === 'UTC' || timeZone === 'Etc/UTC' ? () => 0 : offsetOf(timeZone)
  return (time) => {
    const shown = new Date(time + offset(time))
    return {
      month: shown.getUTCMonth() + 1,
      day: shown.getUTCDate(),
      weekday: shown.getUTCDay(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
    }
  }
}

/** By how much the zone's clocks are ahead of UTC at a time. */
export function offsetOf(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (time) => {
    const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour: hours = 0, minute: minutes = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hours, minutes, second) - Math.floor(time / 1000) * 1000
  }
}

/** RFC 3339 with the zone's offset, as upstream annotates Jobs. */
export function zonedTimestamp(time: number, timeZone = 'UTC'): string {
  const offset = offsetOf(timeZone)(time)
  const local = new Date(time + offset).toISOString().slice(0, 19)
  if (offset === 0) return `${local}Z`
  const minutes = Math.abs(offset) / minute
  const two = (number: number) => String(number).padStart(2, '0')
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
