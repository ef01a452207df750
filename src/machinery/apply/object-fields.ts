/** Which fields an object has: as an applier owns them, and as a writer adds them. */
import { isObject } from '../patch/json-value.ts'
import { anything, type Structure } from '../schema/structure.ts'
import { type FieldSet, leaf, node, none } from './field-set.ts'
import { fieldElement, itemElement } from './path-element.ts'

/** The shape of what stands under this name in an object of this shape. */
export function childStructure(structure: Structure, name: string): Structure {
  if (structure.kind === 'struct') return structure.fields.get(name)?.structure ?? anything
  return structure.kind === 'map' ? structure.values : anything
}

/** Whether the value is owned as a whole. */
export function isWhole(structure: Structure, value: unknown): boolean {
  if (Array.isArray(value)) return structure.kind !== 'list' || structure.owned === 'atomic'
  if (isObject(value)) return (structure.kind === 'struct' || structure.kind === 'map') && structure.atomic
  return true
}

/**
 * The fields that one who applies this object owns: scalars and what is atomic, entries of maps, items of
 * lists, and empty objects; a struct that has fields is not owned itself.
 */
export function fieldsOf(structure: Structure, value: unknown): FieldSet {
  return below(structure, value) ?? none
}

function below(structure: Structure, value: unknown): FieldSet | undefined {
  if (isWhole(structure, value)) return undefined
  const result: Record<string, FieldSet> = {}
  if (Array.isArray(value)) {
    if (structure.kind !== 'list') return undefined
    for (const item of value) result[itemElement(structure, item)] = node(true, below(structure.items, item)) ?? leaf
    return result
  }
  if (!isObject(value)) return undefined
  for (const name in value) {
    const child = value[name]
    if (child === undefined) continue
    const inner = childStructure(structure, name)
    const member = isWhole(inner, child) || !(structure.kind === 'struct' && structure.fields.has(name)) || (isObject(child) && isEmptyObject(child))
    const one = node(member, below(inner, child))
    if (one) result[fieldElement(name)] = one
  }
  return result
}

/** The node of a value that was not there before: it, and all that is in it. */
export function addedNode(structure: Structure, value: unknown): FieldSet {
  if (isWhole(structure, value)) return leaf
  const result: Record<string, FieldSet> = {}
  let any = false
  if (Array.isArray(value)) {
    if (structure.kind !== 'list') return leaf
    for (const item of value) {
      if (!any) result['.'] = leaf
      any = true
      result[itemElement(structure, item)] = addedNode(structure.items, item)
    }
    return any ? result : leaf
  }
  if (!isObject(value)) return leaf
  for (const name in value) {
    const child = value[name]
    if (child === undefined) continue
    if (!any) result['.'] = leaf
    any = true
    result[fieldElement(name)] = addedNode(childStructure(structure, name), child)
  }
  return any ? result : leaf
}

const isEmptyObject = (value: object): boolean => {
  for (const _ in value) return false
  return true
}
