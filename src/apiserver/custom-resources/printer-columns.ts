/** Columns of custom resources: values found by JSONPath. */
import { ageOf, shortDuration } from '../../apis/age.ts'
import { nameColumn } from '../../apis/columns.ts'
import type { Column } from '../../apis/resource.ts'
import { parseJsonPath, printJsonPath } from '../../machinery/jsonpath.ts'
import type { V1CustomResourceColumnDefinition } from '../../machinery/schema/generated/types.ts'

const ageOfObject: Column = {
  name: 'Age',
  type: 'date',
  description: 'How long ago the object was created.',
  value: (object, now) => ageOf(object.metadata.creationTimestamp, now),
}

export function columnsOf(definitions: readonly V1CustomResourceColumnDefinition[] | undefined): Column[] {
  if (!definitions?.length) return [nameColumn, ageOfObject]
  return [nameColumn, ...definitions.map(columnOf)]
}

function columnOf(definition: V1CustomResourceColumnDefinition): Column {
  const { name, jsonPath, type, format, description, priority } = definition
  const find = parseJsonPath(jsonPath)
  return {
    name,
    type: type as NonNullable<Column['type']>,
    ...(format ? { format } : {}),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(priority ? { priority } : {}),
    value(object, now) {
      const [found] = find(object)
      return found === undefined || found === null ? null : cell(type, found, now)
    },
  }
}

function cell(type: string, value: unknown, now: number): string | number | boolean | null {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date': {
      const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
      return Number.isNaN(time) ? '<invalid>' : shortDuration(now - time)
    }
    default:
      return printJsonPath([value])
  }
}
