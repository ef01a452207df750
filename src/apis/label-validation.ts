/** Labels, and other qualified names (annotations, finalizers, resources), as fields of an object. */
import { type FieldError, invalidValue } from '../machinery/field-error.ts'
import { isLabelValue, isQualifiedName } from '../machinery/labels.ts'

export function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = []
  for (const key in labels) {
    for (const message of isQualifiedName(key)) errors.push(invalidValue(field, key, message))
    const value = labels[key] ?? ''
    for (const message of isLabelValue(value)) errors.push(invalidValue(field, value, message))
  }
  return errors
}

export const validateQualifiedName = (value: string, field: string): FieldError[] =>
  isQualifiedName(value).map((message) => invalidValue(field, value, message))
