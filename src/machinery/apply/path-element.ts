/** Elements of paths in `fieldsV1`: `f:name`, `k:{"name":"x"}`, `v:"x"`, `i:0`. */
import { isObject } from '../patch/json-value.ts'
import type { List } from '../schema/structure.ts'

export const fieldElement = (name: string): string => `f:${name}`

/** What names this item of a list that is owned item by item. */
export function itemElement(list: List, item: unknown): string {
  if (list.owned === 'set' || !isObject(item)) return `v:${JSON.stringify(item ?? null)}`
  const keys: Record<string, unknown> = {}
  for (const key of sortedKeys(list)) keys[key] = item[key] ?? list.keyDefaults[key] ?? null
  return `k:${JSON.stringify(keys)}`
}

/** Keys are written in alphabetical order; nearly all lists have one, or have them so already. */
function sortedKeys(list: List): readonly string[] {
  const { keys } = list
  if (keys.length === 1) return keys
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] ?? '') > (keys[i] ?? '')) return [...keys].sort()
  return keys
}

/** As it stands in messages: `.spec`, `[name="x"]`, `[="x"]`, `[0]`. */
export function elementText(element: string): string {
  const text = element.slice(2)
  switch (element.charAt(0)) {
    case 'f':
      return `.${text}`
    case 'k':
      return `[${Object.entries(JSON.parse(text) as object)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`
    case 'v':
      return `[=${text}]`
    default:
      return `[${text}]`
  }
}

export const pathText = (path: readonly string[]): string => path.map(elementText).join('')
