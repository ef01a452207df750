/** Items that stand twice in lists which are sets or maps. */
import { duplicate, type FieldError } from '../../machinery/field-error.ts'
import { isObject } from '../../machinery/patch/json-value.ts'
import type { JsonSchema } from './json-schema.ts'

export function duplicateItems(schema: JsonSchema, items: unknown[], path: string): FieldError[] {
  const type = schema['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Set<string>()
  const errors: FieldError[] = []
  for (const [index, item] of items.entries()) {
    const identity = type === 'set' ? item : keysOf(item, keys)
    const text = JSON.stringify(identity)
    if (seen.has(text)) errors.push(duplicate(`${path}[${index}]`, identity))
    seen.add(text)
  }
  return errors
}

const keysOf = (item: unknown, keys: readonly string[]) =>
  Object.fromEntries(keys.flatMap((key) => (isObject(item) && item[key] !== undefined ? [[key, item[key]]] : [])))
