/** What an applier wants, laid over what is there. */
import { isObject, type JsonObject } from '../patch/json-value.ts'
import type { List, Structure } from '../schema/structure.ts'
import { childStructure, isWhole } from './object-fields.ts'
import { itemElement } from './path-element.ts'

/** Fields and items merge; scalars and what is atomic is taken from `applied`. */
export function mergeApplied(structure: Structure, live: unknown, applied: unknown): unknown {
  if (live === undefined || applied === live) return applied
  if (isWhole(structure, applied) || isWhole(structure, live)) return applied
  if (Array.isArray(applied)) return Array.isArray(live) && structure.kind === 'list' ? mergeItems(structure, live, applied) : applied
  if (!isObject(live) || !isObject(applied)) return applied
  let result: JsonObject | undefined
  for (const name in applied) {
    const merged = mergeApplied(childStructure(structure, name), live[name], applied[name])
    if (merged === live[name]) continue
    result ??= { ...live }
    result[name] = merged
  }
  return result ?? live
}

/**
 * Items that are applied stand in the order of the applied list; each item that is only live keeps its place
 * before the next item that both have.
 */
function mergeItems(list: List, live: unknown[], applied: unknown[]): unknown[] {
  const elements = live.map((item) => itemElement(list, item))
  const liveItems = new Map<string, unknown>()
  elements.forEach((element, index) => {
    if (!liveItems.has(element)) liveItems.set(element, live[index])
  })
  const wanted = applied.map((item) => itemElement(list, item))
  const wantedSet = new Set(wanted)
  const shared = wanted.filter((element) => liveItems.has(element))
  const result: unknown[] = []
  let next = 0
  let at = 0
  wanted.forEach((element, index) => {
    while (at < live.length) {
      const here = elements[at] ?? ''
      if (!wantedSet.has(here)) result.push(live[at])
      else if (here === shared[next]) break
      at++
    }
    if (element === shared[next]) next++
    result.push(mergeApplied(list.items, liveItems.get(element), applied[index]))
  })
  for (; at < live.length; at++) if (!wantedSet.has(elements[at] ?? '')) result.push(live[at])
  return result.length === live.length && result.every((item, index) => item === live[index]) ? live : result
}
