import type { Schema } from '../schema/schema.ts'
import { anything, type Field, type Structure } from '../schema/structure.ts'
import { isObject, type JsonObject, without } from './json-value.ts'
import { identified, inOrder, mergeObjectLists, mergeScalarLists, withoutScalars } from './merge-list.ts'
import { malformedPatch } from './patch-error.ts'

const setElementOrder = '$setElementOrder/'
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/'

/**
 * Strategic merge patch: objects merge; lists merge by key where their field says so. Directives in the
 * patch: `$patch: delete|replace`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.
 * Shares what the patch does not touch; throws the `ApiError` that upstream answers.
 */
export function strategicMergePatch<T = JsonObject>(schema: Schema, model: string, original: T, patch: unknown): T {
  if (!isObject(patch)) throw malformedPatch(`json: cannot unmarshal ${jsonWord(patch)} into Go value of type map[string]interface {}`)
  return mergeObjects(schema.model(model), isObject(original) ? original : {}, patch) as T
}

const jsonWord = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value)

export function mergeObjects(structure: Structure, original: JsonObject, patch: JsonObject): JsonObject {
  if ('$patch' in patch) {
    if (patch.$patch === 'replace') return withoutDirectives(without(patch, '$patch')) as JsonObject
    if (patch.$patch === 'delete') return {}
    throw malformedPatch(`unknown patch type found: ${String(patch.$patch)} in map`)
  }
  const result = retainKeys(original, patch)
  for (const name in patch) {
    if (name === '$retainKeys' || name.startsWith(setElementOrder)) continue
    const value = patch[name]
    if (name.startsWith(deleteFromPrimitiveList)) {
      deleteScalars(result, name.slice(deleteFromPrimitiveList.length), value)
      continue
    }
    if (value === null) {
      delete result[name]
      continue
    }
    result[name] = mergeValue(fieldOf(structure, name), result[name], value, patch[`${setElementOrder}${name}`])
  }
  for (const name in patch) {
    if (!name.startsWith(setElementOrder)) continue
    const field = name.slice(setElementOrder.length)
    if (field in patch && patch[field] !== null) continue
    reorder(result, field, fieldOf(structure, field), original[field], patch[name])
  }
  return result
}

type Part = Pick<Field, 'structure' | 'patch' | 'mergeKey'>

/** What is known of a field; inside a map, every name is a field of the one shape. */
function fieldOf(structure: Structure, name: string): Part {
  if (structure.kind === 'struct') {
    const field = structure.fields.get(name)
    if (field) return field
  }
  return { structure: structure.kind === 'map' ? structure.values : anything, patch: [], mergeKey: undefined }
}

function mergeValue(field: Part, original: unknown, value: unknown, order: unknown): unknown {
  if (isObject(value)) {
    if (!isObject(original)) return isObject(withoutDirectives(value)) ? withoutDirectives(value) : {}
    return field.patch.includes('replace') ? withoutDirectives(value) : mergeObjects(field.structure, original, value)
  }
  if (!Array.isArray(value)) return value
  if (!field.patch.includes('merge')) return value
  const { structure } = field
  const items = structure.kind === 'list' ? structure.items : anything
  const live = Array.isArray(original) ? original : []
  if (order !== undefined) checkOrder(order, value, field.mergeKey)
  const positions = Array.isArray(order) ? order : undefined
  if (field.mergeKey === undefined) return mergeScalarLists(live, value, positions)
  return mergeObjectLists(items, field.mergeKey, live, value, positions)
}

/** `$retainKeys` names all fields that may stay: for unions such as a volume's source. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const kept = patch.$retainKeys
  if (kept === undefined) return { ...original }
  if (!Array.isArray(kept)) throw malformedPatch('invalid patch format of retainKeys')
  for (const name in patch) {
    if (name.startsWith('$') || patch[name] === null) continue
    if (!kept.includes(name)) throw malformedPatch('invalid patch format of retainKeys')
  }
  const result: JsonObject = {}
  for (const name in original) if (kept.includes(name)) result[name] = original[name]
  return result
}

function deleteScalars(result: JsonObject, name: string, values: unknown): void {
  if (!Array.isArray(values)) throw malformedPatch('invalid patch format of primitive list')
  const live = result[name]
  if (Array.isArray(live)) result[name] = withoutScalars(live, values)
}

function checkOrder(order: unknown, patch: unknown[], mergeKey: string | undefined): void {
  if (!Array.isArray(order)) throw malformedPatch('invalid patch format of setElementOrder list')
  const wanted = new Set(order.map((item) => identified(item, mergeKey)))
  for (const item of patch) {
    if (isObject(item) && '$patch' in item) continue
    if (!wanted.has(identified(item, mergeKey))) {
      throw malformedPatch(`The order in patch list:\n${JSON.stringify(patch)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`)
    }
  }
}

/** The patch changes no item of the list, only says how they are ordered. */
function reorder(result: JsonObject, name: string, field: Part, original: unknown, order: unknown): void {
  if (!Array.isArray(order)) throw malformedPatch('invalid patch format of setElementOrder list')
  const live = result[name]
  if (Array.isArray(live)) result[name] = inOrder(live, order, Array.isArray(original) ? original : [], field.mergeKey)
}

/** A value that is taken from the patch as it is: without nulls and without directives. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && '$patch' in item)).map(withoutDirectives)
  if (!isObject(value)) return value
  if (value.$patch === 'delete') return {}
  const result: JsonObject = {}
  for (const name in value) {
    if (name.startsWith('$patch') || name === '$retainKeys' || name.startsWith(setElementOrder) || name.startsWith(deleteFromPrimitiveList)) continue
    if (value[name] !== null) result[name] = withoutDirectives(value[name])
  }
  return result
}
