/** Small rules for plain JSON, which patches share. Nothing here changes a value. */

export type JsonObject = { [name: string]: unknown }

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Same JSON, whatever the order of names. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (Array.isArray(b)) return false
  const left = a as JsonObject
  const right = b as JsonObject
  let names = 0
  for (const name in left) {
    names++
    if (!(name in right) || !equal(left[name], right[name])) return false
  }
  for (const _ in right) names--
  return names === 0
}

export function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = object
  return rest
}
