import { quoted } from './quote.ts'

export const annotationPrefix = 'nginx.ingress.kubernetes.io/'

/** The value of an annotation without its prefix; undefined when it is not there or says nothing. */
export type Given = (name: string) => string | undefined

/** Thrown for a value that makes no sense; the Ingress is left out and says why. */
export class AnnotationError extends Error {
  constructor(annotation: string, value: string, reason: string) {
    super(`annotation ${annotationPrefix}${annotation}: ${reason}: ${JSON.stringify(value)}`)
    this.name = 'AnnotationError'
  }
}

export function flag(given: Given, name: string, otherwise: boolean): boolean {
  const value = given(name)
  if (value === undefined) return otherwise
  if (/^(true|1|t)$/i.test(value)) return true
  if (/^(false|0|f)$/i.test(value)) return false
  throw new AnnotationError(name, value, 'neither true nor false')
}

/** What goes into the configuration as it is, and so may hold only what is allowed. */
export function plain(given: Given, name: string, allowed: RegExp, reason = 'contains characters that are not allowed'): string | undefined {
  const value = given(name)
  if (value !== undefined && !allowed.test(value)) throw new AnnotationError(name, value, reason)
  return value
}

/** A number above 0; undefined for 0 too, which switches off what it limits. */
export function count(given: Given, name: string): number | undefined {
  return Number(plain(given, name, /^\d{1,9}$/, 'not a number') ?? 0) || undefined
}

const block = /^[0-9a-fA-F.:]+(\/\d{1,3})?$/

/** Addresses and blocks of them. */
export function blocks(name: string, value: string): string[] {
  const found = list(value)
  const wrong = found.find((range) => !block.test(range))
  if (wrong !== undefined) throw new AnnotationError(name, value, `not a block of addresses: ${quoted(wrong)}`)
  return found
}

export function list(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}
