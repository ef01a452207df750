import { isObject } from '../patch/json-value.ts'
import type { Scalar, Structure } from '../schema/structure.ts'
import { itemElement, pathText } from './path-element.ts'

/** Why an object cannot be applied as this type, in upstream's words: unknown fields, items without keys, duplicates. */
export function typedErrors(structure: Structure, value: unknown, path: readonly string[] = []): string[] {
  const errors: string[] = []
  visit(structure, value, path, errors)
  return errors
}

function visit(structure: Structure, value: unknown, path: readonly string[], errors: string[]): void {
  if (value === null || value === undefined || structure.kind === 'any') return
  if (structure.kind === 'struct' || structure.kind === 'map') {
    if (!isObject(value)) errors.push(`${pathText(path)}: expected map, got &{${shown(value)}}`)
    else
      for (const name in value) {
        const inner = structure.kind === 'map' ? structure.values : structure.fields.get(name)?.structure
        if (inner) visit(inner, value[name], [...path, `f:${name}`], errors)
        else if (structure.kind === 'struct' && !structure.open) errors.push(`${pathText([...path, `f:${name}`])}: field not declared in schema`)
      }
    return
  }
  if (structure.kind !== 'list') {
    const wanted = scalarMismatch(structure, value)
    if (wanted) errors.push(`${pathText(path)}: expected ${wanted}, got ${goTypeOf(value)}`)
    return
  }
  if (!Array.isArray(value)) {
    errors.push(`${pathText(path)}: expected list, got &{${shown(value)}}`)
    return
  }
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    const at = `i:${index}`
    if (structure.owned === 'atomic') {
      visit(structure.items, item, [...path, at], errors)
      continue
    }
    if (structure.owned === 'map') {
      const missing = structure.keys.find((key) => !isObject(item) || (item[key] === undefined && structure.keyDefaults[key] === undefined))
      if (missing !== undefined) {
        errors.push(
          `${pathText(path)}: element ${index}: associative list with keys has an element that omits key field "${missing}" (and doesn't have default value)`,
        )
        continue
      }
    }
    const element = itemElement(structure, item)
    if (seen.has(element)) errors.push(`${pathText(path)}: duplicate entries for key ${pathText([element])}`)
    seen.add(element)
    visit(structure.items, item, [...path, element], errors)
  }
}

const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/** What should be there, when something else is. Formats with a form of their own take any scalar. */
function scalarMismatch(structure: Scalar, value: unknown): string | undefined {
  if (typeof value === 'object') return 'scalar'
  switch (structure.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'boolean'
    case 'integer':
    case 'number':
      return typeof value === 'number' ? undefined : 'numeric (int or float)'
    case 'string':
      return typeof value === 'string' || (structure.format !== undefined && structure.format !== 'byte') ? undefined : 'string'
  }
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}
