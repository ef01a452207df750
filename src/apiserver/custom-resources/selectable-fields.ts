import { parseJsonPath } from '../../machinery/jsonpath.ts'
import type { AnyObject } from '../../machinery/object.ts'

type Readers = Record<string, (object: AnyObject) => string>

/** Fields of custom resources by which they may be selected: `spec.color`. */
export function selectableFieldsOf(fields: readonly { jsonPath: string }[] | undefined): Readers {
  const readers: Readers = {}
  for (const { jsonPath } of fields ?? []) {
    const find = parseJsonPath(jsonPath)
    readers[jsonPath.replace(/^\./, '')] = (object) => {
      const [value] = find(object)
      return value === undefined || value === null ? '' : String(value)
    }
  }
  return readers
}
