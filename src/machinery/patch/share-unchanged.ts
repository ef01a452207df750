import { isObject } from './json-value.ts'

/**
 * `after`, in which everything that is as it was stands by reference to `before`; `before` itself when nothing differs.
 * So versions of an object share what they have in common: a version takes memory for what is new in it, and who compares
 * two of them does not look into what is the same. `after` is changed in place and must be the caller's own.
 */
export function shareUnchanged<T>(before: T, after: T): T {
  return share(before, after) as T
}

function share(before: unknown, after: unknown): unknown {
  if (before === after) return before
  if (Array.isArray(before)) return Array.isArray(after) ? shareItems(before, after) : after
  if (!isObject(before) || !isObject(after)) return after
  let same = true
  let names = 0
  for (const name in after) {
    names++
    const now = after[name]
    const then = before[name]
    if (now === then) {
      if (now === undefined && !(name in before)) same = false
      continue
    }
    const shared = typeof now === 'object' && typeof then === 'object' ? share(then, now) : now
    if (shared !== then) same = false
    if (shared !== now) after[name] = shared
  }
  if (!same) return after
  for (const _ in before) names--
  return names === 0 ? before : after
}

function shareItems(before: unknown[], after: unknown[]): unknown[] {
  let same = before.length === after.length
  for (let index = 0; index < after.length; index++) {
    const now = after[index]
    const then = before[index]
    if (now === then) continue
    const shared = typeof now === 'object' && typeof then === 'object' ? share(then, now) : now
    if (shared !== then) same = false
    if (shared !== now) after[index] = shared
  }
  return same ? before : after
}
