import { isObject } from '../machinery/patch/json-value.ts'

/** Equality of JSON values in which a field that is undefined counts as one that is not there. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => deepEqual(item, b[index]))
  if (!isObject(a) || !isObject(b)) return false
  for (const name in a) if (!deepEqual(a[name], b[name])) return false
  for (const name in b) if (b[name] !== undefined && a[name] === undefined) return false
  return true
}
