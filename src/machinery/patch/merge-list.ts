/** Lists in a strategic merge patch: merged by value or by key, then put in order. */
import type { Structure } from '../schema/structure.ts'
import { isObject, type JsonObject } from './json-value.ts'
import { inapplicablePatch, malformedPatch } from './patch-error.ts'
import { mergeObjects, withoutDirectives } from './strategic-merge.ts'

/** What tells one item from another; items without a merge key are told by their value. */
export function identified(item: unknown, mergeKey: string | undefined): string {
  return JSON.stringify(mergeKey !== undefined && isObject(item) ? item[mergeKey] : item)
}

export function mergeScalarLists(original: unknown[], patch: unknown[], order: unknown[] | undefined): unknown[] {
  const merged = distinct([...original, ...patch])
  return inOrder(merged, order ?? patch, original, undefined)
}

export function withoutScalars(original: unknown[], values: unknown[]): unknown[] {
  const gone = new Set(values.map((value) => identified(value, undefined)))
  return original.filter((item) => !gone.has(identified(item, undefined)))
}

export function mergeObjectLists(items: Structure, mergeKey: string, original: unknown[], patch: unknown[], order: unknown[] | undefined): unknown[] {
  const { live, changes } = applyDirectives(mergeKey, original, patch)
  const merged = [...live]
  for (const change of changes) {
    const key = keyOfItem(change, mergeKey)
    const at = merged.findIndex((item) => isObject(item) && JSON.stringify(item[mergeKey]) === key)
    const current = merged[at]
    if (isObject(current)) merged[at] = mergeObjects(items, current, change)
    else merged.push(withoutDirectives(change))
  }
  return inOrder(merged, order ?? changes, live, mergeKey)
}

/** Takes items with `$patch` out of the patch and does what they say to the list. */
function applyDirectives(mergeKey: string, original: unknown[], patch: unknown[]): { live: unknown[]; changes: JsonObject[] } {
  const changes: JsonObject[] = []
  let live = original
  let replace = false
  for (const item of patch) {
    if (!isObject(item)) throw inapplicablePatch('lists of lists are not supported')
    const directive = item.$patch
    if (directive === undefined) changes.push(item)
    else if (directive === 'replace') replace = true
    else if (directive === 'delete') {
      if (!(mergeKey in item)) throw malformedPatch('delete patch type with no merge key defined')
      const key = JSON.stringify(item[mergeKey])
      live = live.filter((one) => !(isObject(one) && JSON.stringify(one[mergeKey]) === key))
    } else if (directive === 'merge') throw malformedPatch('merging lists cannot yet be specified in the patch')
    else throw malformedPatch(`unknown patch type found: ${String(directive)} in list`)
  }
  return { live: replace ? [] : live, changes }
}

function keyOfItem(item: JsonObject, mergeKey: string): string {
  if (!(mergeKey in item)) throw inapplicablePatch(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
  return JSON.stringify(item[mergeKey])
}

/**
 * Items that the patch names stand as `order` says; the others keep the order they had in `live`, and each
 * of them comes before the next named item only if it did so in `live`.
 */
export function inOrder(merged: unknown[], order: unknown[], live: unknown[], mergeKey: string | undefined): unknown[] {
  const placeIn = (list: unknown[]) => {
    const places = new Map<string, number>()
    list.forEach((item, index) => {
      const id = identified(item, mergeKey)
      if (!places.has(id)) places.set(id, index)
    })
    return (item: unknown) => places.get(identified(item, mergeKey)) ?? -1
  }
  const ordered = placeIn(order)
  const lived = placeIn(live)
  const named = merged.filter((item) => ordered(item) >= 0).sort((a, b) => ordered(a) - ordered(b))
  const others = merged.filter((item) => ordered(item) < 0).sort((a, b) => lived(a) - lived(b))
  const result: unknown[] = []
  let next = 0
  for (const item of named) {
    const place = lived(item)
    while (place >= 0 && next < others.length) {
      const other = lived(others[next])
      if (other < 0 || other >= place) break
      result.push(others[next++])
    }
    result.push(item)
  }
  return [...result, ...others.slice(next)]
}

function distinct(items: unknown[]): unknown[] {
  const byId = new Map<string, unknown>()
  for (const item of items) {
    const id = identified(item, undefined)
    if (!byId.has(id)) byId.set(id, item)
  }
  return [...byId.values()]
}
