import { equal, isObject } from '../patch/json-value.ts'
import type { List, Structure } from '../schema/structure.ts'
import { type FieldSet, leaf, none } from './field-set.ts'
import { addedNode, childStructure, isWhole } from './object-fields.ts'
import { fieldElement, itemElement } from './path-element.ts'

/** How two versions of an object differ. */
export interface Comparison {
  /** Fields that were added or whose value changed. */
  changed: FieldSet
  removed: FieldSet
}

/** Nodes below the top: absent where nothing differs. */
interface Difference {
  changed: FieldSet | undefined
  removed: FieldSet | undefined
}

/** Branches that both versions share are not looked into, so a small change costs little. */
export function compare(structure: Structure, before: unknown, after: unknown): Comparison {
  const found = before === after ? undefined : compareChildren(structure, before ?? {}, after ?? {})
  return { changed: found?.changed ?? none, removed: found?.removed ?? none }
}

/** What differs below; nothing when nothing does. */
function compareChildren(structure: Structure, before: unknown, after: unknown): Difference | undefined {
  if (Array.isArray(after)) return Array.isArray(before) && structure.kind === 'list' ? compareItems(structure, before, after) : undefined
  if (!isObject(before) || !isObject(after)) return undefined
  let changed: Record<string, FieldSet> | undefined
  let removed: Record<string, FieldSet> | undefined
  for (const name in after) {
    const left = before[name]
    const right = after[name]
    if (left === right || right === undefined) continue
    const inner = childStructure(structure, name)
    if (left === undefined) {
      changed ??= {}
      changed[fieldElement(name)] = addedNode(inner, right)
      continue
    }
    const found = compareValue(inner, left, right)
    if (found?.changed) {
      changed ??= {}
      changed[fieldElement(name)] = found.changed
    }
    if (found?.removed) {
      removed ??= {}
      removed[fieldElement(name)] = found.removed
    }
  }
  for (const name in before) {
    if (after[name] !== undefined || before[name] === undefined) continue
    removed ??= {}
    removed[fieldElement(name)] = addedNode(childStructure(structure, name), before[name])
  }
  return changed || removed ? { changed, removed } : undefined
}

const changedLeaf: Difference = { changed: leaf, removed: undefined }

function compareValue(structure: Structure, before: unknown, after: unknown): Difference | undefined {
  if (before === after) return undefined
  const whole = isWhole(structure, after)
  if (whole && isWhole(structure, before)) return equal(before, after) ? undefined : changedLeaf
  // One became the other kind of value: all of the old is gone, all of the new is there.
  if (whole || isWhole(structure, before) || Array.isArray(before) !== Array.isArray(after)) {
    return { changed: addedNode(structure, after), removed: addedNode(structure, before) }
  }
  return compareChildren(structure, before, after)
}

function compareItems(list: List, before: unknown[], after: unknown[]): Difference | undefined {
  let changed: Record<string, FieldSet> | undefined
  let removed: Record<string, FieldSet> | undefined
  const old = new Map<string, unknown>()
  for (const item of before) old.set(itemElement(list, item), item)
  for (const item of after) {
    const element = itemElement(list, item)
    const left = old.get(element)
    if (left === undefined) {
      changed ??= {}
      changed[element] = addedNode(list.items, item)
      continue
    }
    old.delete(element)
    const found = compareValue(list.items, left, item)
    if (found?.changed) {
      changed ??= {}
      changed[element] = found.changed
    }
    if (found?.removed) {
      removed ??= {}
      removed[element] = found.removed
    }
  }
  for (const [element, item] of old) {
    removed ??= {}
    removed[element] = addedNode(list.items, item)
  }
  return changed || removed ? { changed, removed } : undefined
}
