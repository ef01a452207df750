import type { Functions } from './functions.ts'
import { CelError } from './syntax.ts'
import { type CelValue, Duration, Timestamp } from './values.ts'

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** As Go writes durations: `1h30m`, `-5s`, `100ms`. */
export function parseDuration(text: string): Duration {
  const whole = /^([+-])?((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text)
  if (!whole && text !== '0') throw new CelError(`time: invalid duration ${JSON.stringify(text)}`)
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) ms += Number(amount) * (units[unit ?? ''] ?? 0)
  return new Duration(text.startsWith('-') ? -ms : ms)
}

export const durationText = ({ ms }: Duration): string => `${ms / 1000}s`

/** The zone as an offset (`+02:00`) or a name of the time zone database; UTC when none is given. */
function parts(value: CelValue, zone: CelValue | undefined): Date | undefined {
  if (!(value instanceof Timestamp)) return undefined
  if (typeof zone !== 'string' || zone === 'UTC' || zone === '') return new Date(value.ms)
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (offset) return new Date(value.ms + (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) * 60_000)
  try {
    const local = new Date(value.ms).toLocaleString('sv-SE', { timeZone: zone })
    return new Date(`${local.replace(' ', 'T')}Z`)
  } catch {
    throw new CelError(`unknown time zone ${zone}`)
  }
}

const of =
  (read: (date: Date) => number) =>
  (value: CelValue = null, zone?: CelValue) => {
    const date = parts(value, zone)
    return date && BigInt(read(date))
  }
/** Of a time its part, of a duration the whole. */
const either =
  (read: (date: Date) => number, unit: number) =>
  (value: CelValue = null, zone?: CelValue) =>
    value instanceof Duration ? BigInt(Math.trunc(value.ms / unit)) : of(read)(value, zone)

export const timeFunctions: Functions = {
  '.getFullYear': of((date) => date.getUTCFullYear()),
  '.getMonth': of((date) => date.getUTCMonth()),
  '.getDate': of((date) => date.getUTCDate()),
  '.getDayOfMonth': of((date) => date.getUTCDate() - 1),
  '.getDayOfWeek': of((date) => date.getUTCDay()),
  '.getDayOfYear': of((date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000)),
  '.getHours': either((date) => date.getUTCHours(), 3_600_000),
  '.getMinutes': either((date) => date.getUTCMinutes(), 60_000),
  '.getSeconds': either((date) => date.getUTCSeconds(), 1000),
  '.getMilliseconds': either((date) => date.getUTCMilliseconds(), 1),
}
