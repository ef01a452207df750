import { isObject, type JsonObject } from './json-value.ts'

/** RFC 7386. Shares what the patch does not touch. */
export function mergePatch<T = JsonObject>(original: T, patch: unknown): T {
  return merge(original, patch) as T
}

function merge(original: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: JsonObject = isObject(original) ? { ...original } : {}
  for (const name in patch) {
    const value = patch[name]
    if (value === null) delete result[name]
    else result[name] = merge(result[name], value)
  }
  return result
}
