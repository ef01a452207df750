/** Fields that are a count or a share: `1`, `"25%"`. */
import { type FieldError, invalidValue } from '../machinery/field-error.ts'
import { nonNegative } from './formats.ts'

const percent = /^[0-9]+%$/

export const isPercent = (value: number | string): value is string => typeof value === 'string' && percent.test(value)

export function validateIntOrPercent(value: number | string | undefined, at: string): FieldError[] {
  if (value === undefined) return []
  if (typeof value === 'number') return value < 0 ? [invalidValue(at, value, nonNegative)] : []
  return isPercent(value)
    ? []
    : [
        invalidValue(
          at,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ]
}

export const notOverHundred = (value: number | string | undefined, at: string): FieldError[] =>
  value !== undefined && isPercent(value) && Number.parseInt(value, 10) > 100 ? [invalidValue(at, value, 'must not be greater than 100%')] : []

/** Zero, as a count or as a share. */
export const isNone = (value: number | string | undefined): boolean =>
  value === undefined || value === 0 || (isPercent(value) && Number.parseInt(value, 10) === 0)

/** An integer field that may not be negative. */
export const validateNonNegative = (value: number | undefined, at: string): FieldError[] => ((value ?? 0) < 0 ? [invalidValue(at, value, nonNegative)] : [])
