import { type FieldError, invalidValue } from '../machinery/field-error.ts'
import { sameJson } from './equality.ts'

/** The error of a field that may not change once set. */
export function immutable(field: string, value: unknown, stored: unknown): FieldError[] {
  return sameJson(value, stored) ? [] : [invalidValue(field, value, 'field is immutable')]
}
