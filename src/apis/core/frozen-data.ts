import { type FieldError, forbiddenField } from '../../machinery/field-error.ts'
import { sameMap } from '../equality.ts'

type Freezable = { immutable?: boolean } & Partial<Record<'data' | 'binaryData', Record<string, string>>>

/** ConfigMaps and Secrets that were declared immutable stay so, and so does what they hold. */
export function validateFrozen(draft: Freezable, stored: Freezable, fields: readonly ('data' | 'binaryData')[]): FieldError[] {
  if (!stored.immutable) return []
  const changed: string[] = fields.filter((field) => !sameMap(draft[field], stored[field]))
  if (!draft.immutable) changed.unshift('immutable')
  return changed.map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'))
}
