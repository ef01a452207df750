/** Columns that most tables share. */
import type { V1LabelSelector } from '../machinery/schema/generated/types.ts'
import { ageOf } from './age.ts'
import type { Column } from './resource.ts'

type Named = { metadata: { name?: string; creationTimestamp?: string } }

export const nameColumn: Column<Named> = { name: 'Name', format: 'name', value: (object) => object.metadata.name ?? '' }
export const ageColumn: Column<Named> = { name: 'Age', value: (object, now) => ageOf(object.metadata.creationTimestamp, now) }

/** A column that only `-o wide` shows. */
export const wide = <T>(column: Column<T>): Column<T> => ({ ...column, priority: 1 })

export const text = <T>(name: string, value: Column<T>['value']): Column<T> => ({ name, value })
export const integer = <T>(name: string, value: (object: T) => number | undefined): Column<T> => ({
  name,
  type: 'integer',
  value: (object) => value(object) ?? 0,
})

/** `app=web,tier in (a,b)`; `<none>` for no selector. */
export function selectorText(selector: V1LabelSelector | undefined): string {
  if (!selector) return '<none>'
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const list = `(${[...(values ?? [])].sort().join(',')})`
    const byOperator: Record<string, string> = { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }
    parts.push({ key, text: byOperator[operator] ?? key })
  }
  return (
    parts
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .map((part) => part.text)
      .join(',') || '<none>'
  )
}

/** `a=b,c=d` in key order; `<none>` when empty. */
export function labelsText(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}

/** Values with commas between; `<none>` when there is none, and beyond `max` only how many more. */
export function listText(values: readonly string[], max = Number.POSITIVE_INFINITY): string {
  if (values.length === 0) return '<none>'
  if (values.length <= max) return values.join(',')
  return `${values.slice(0, max).join(',')} + ${values.length - max} more...`
}
