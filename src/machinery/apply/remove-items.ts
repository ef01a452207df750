import { isObject, type JsonObject } from '../patch/json-value.ts'
import type { Structure } from '../schema/structure.ts'
import { type FieldSet, isEmpty, isMember, leaf, node } from './field-set.ts'
import { childStructure, isWhole } from './object-fields.ts'
import { fieldElement, itemElement } from './path-element.ts'

/** Without the members of the set. Objects and lists that come out empty go too: nothing is left of them. */
export function removeItems(structure: Structure, value: unknown, gone: FieldSet): unknown {
  if (isEmpty(gone) || isWhole(structure, value)) return value
  if (Array.isArray(value)) {
    if (structure.kind !== 'list') return value
    const kept: unknown[] = []
    for (const item of value) {
      const found = gone[itemElement(structure, item)]
      if (found === undefined) kept.push(item)
      else if (!isMember(found)) kept.push(removeItems(structure.items, item, found) ?? {})
    }
    return kept.length ? kept : undefined
  }
  if (!isObject(value)) return value
  const kept: JsonObject = {}
  for (const name in value) {
    const found = gone[fieldElement(name)]
    if (found === undefined) kept[name] = value[name]
    else if (!isMember(found)) {
      const child = removeItems(childStructure(structure, name), value[name], found)
      if (child !== undefined) kept[name] = child
    }
  }
  return isEmptyObject(kept) ? undefined : kept
}

const isEmptyObject = (value: object): boolean => {
  for (const _ in value) return false
  return true
}

/** With the structs on the way to members, which no set of applied fields holds. */
export function withNamedFields(structure: Structure, set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element in set) {
    const child = set[element]
    if (child === undefined) continue
    if (element === '.') {
      result['.'] = leaf
      continue
    }
    const name = element.slice(2)
    const isField = element.startsWith('f:')
    const named = isField && structure.kind === 'struct' && structure.fields.has(name)
    const inner = isField ? childStructure(structure, name) : structure.kind === 'list' ? structure.items : structure
    const { '.': _, ...below } = child
    result[element] = node(isMember(child) || named, withNamedFields(inner, below)) ?? leaf
  }
  return result
}
