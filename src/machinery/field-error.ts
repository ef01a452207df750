/**
 * Validation errors, in upstream's words (`k8s.io/apimachinery/pkg/util/validation/field`): each becomes a
 * cause of a 422 Status.
 */
import type { StatusCause } from './object.ts'

export type FieldError = StatusCause & { reason: string; message: string; field: string }

/** How a value stands in a message: strings quoted, objects as JSON. */
const shown = (value: unknown): string => (value === undefined || value === null ? '"null"' : JSON.stringify(value))

const error = (reason: string, message: string, field: string): FieldError => ({ reason, message, field })

export const required = (field: string, detail = ''): FieldError => error('FieldValueRequired', `Required value${detail ? `: ${detail}` : ''}`, field)
export const invalidValue = (field: string, value: unknown, detail: string): FieldError =>
  error('FieldValueInvalid', `Invalid value: ${shown(value)}: ${detail}`, field)
export const forbiddenField = (field: string, detail: string): FieldError => error('FieldValueForbidden', `Forbidden: ${detail}`, field)
export const duplicate = (field: string, value: unknown): FieldError => error('FieldValueDuplicate', `Duplicate value: ${shown(value)}`, field)
export const notFoundValue = (field: string, value: unknown): FieldError => error('FieldValueNotFound', `Not found: ${shown(value)}`, field)
/** The values in the order in which a schema has them. */
export const notAmong = (field: string, value: unknown, values: readonly string[]): FieldError =>
  error('FieldValueNotSupported', `Unsupported value: ${shown(value)}: supported values: ${values.map((one) => JSON.stringify(one)).join(', ')}`, field)
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => notAmong(field, value, [...supported].sort())
export const tooLong = (field: string, max: number): FieldError => error('FieldValueTooLong', `Too long: may not be more than ${max} bytes`, field)
export const tooMany = (field: string, actual: number, max: number): FieldError =>
  error('FieldValueTooMany', `Too many: ${actual}: must have at most ${max} items`, field)
export const typeInvalid = (field: string, value: unknown, detail: string): FieldError =>
  error('FieldValueTypeInvalid', `Invalid value: ${shown(value)}: ${detail}`, field)
export const internalFieldError = (field: string, detail: string): FieldError => error('InternalError', `Internal error: ${detail}`, field)
