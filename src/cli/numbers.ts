import { UserError } from '../cluster/user-error.ts'

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
