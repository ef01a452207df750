/** A deep copy of plain JSON; several times faster than structuredClone. */
export function cloneJson<T>(value: T): T {
  return clone(value) as T
}

function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const copy: unknown[] = new Array(value.length)
    for (let i = 0; i < value.length; i++) copy[i] = clone(value[i])
    return copy
  }
  const copy: Record<string, unknown> = {}
  const object = value as Record<string, unknown>
  for (const name in object) {
    // What JSON would leave out is left out here too: objects given in process are not encoded.
    if (object[name] !== undefined) copy[name] = clone(object[name])
  }
  return copy
}
