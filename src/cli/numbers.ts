import { UserError } from '../cluster/user-error.ts'
import { parseQuantity } from '../machinery/quantity.ts'

/** A port from the command line; 0 takes any free one. */
export function port(text: string | boolean | undefined, flag: string): number {
  const value = Number(text)
  if (typeof text !== 'string' || text === '' || !Number.isInteger(value) || value < 0 || value > 65_535)
    throw new UserError(`${flag} must be a port between 0 and 65535, not '${text}'`)
  return value
}

/** Bytes for people: `131 MB`. */
export function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`
}

export function count(text: string | boolean | undefined, flag: string, least: number, most: number): number {
  const value = Number(text)
  if (typeof text !== 'string' || text === '' || !Number.isInteger(value) || value < least || value > most)
    throw new UserError(`${flag} must be a number from ${least} to ${most}, not '${text}'`)
  return value
}

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds, from `24h`, `1h30m`, `90s`, `7d`, or `0`. */
export function duration(text: string | boolean | undefined, flag: string): number {
  if (text === '0') return 0
  if (typeof text !== 'string' || !/^(\d+[smhd])+$/.test(text)) throw new UserError(`${flag} must be a time like 24h, 1h30m or 0, not '${text}'`)
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0)
}

/** Of these a node without any is none. */
const indispensable = new Set(['cpu', 'memory', 'pods'])

/** What a node has, from `cpu=2,memory=4Gi`; nothing when absent. */
export function capacity(text: string | boolean | undefined, flag: string): Record<string, string> {
  if (typeof text !== 'string' || text === '') return {}
  return Object.fromEntries(
    text.split(',').map((pair): [string, string] => {
      const [name = '', amount = '', ...rest] = pair.split('=')
      if (name === '' || rest.length > 0 || !isQuantity(amount)) throw new UserError(`${flag} takes pairs like cpu=2,memory=4Gi, and '${pair}' is none`)
      const { nanos } = parseQuantity(amount)
      if (nanos < 0n || (nanos === 0n && indispensable.has(name))) throw new UserError(`${flag}: a node cannot have ${pair}, it must be more than that`)
      return [name, amount]
    }),
  )
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text)
    return true
  } catch {
    // Not one: its caller says so.
    return false
  }
}
