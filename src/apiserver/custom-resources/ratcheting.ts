/** What was wrong before and is left alone does not stand in the way of an update. */
import type { FieldError } from '../../machinery/field-error.ts'
import { equal, isObject } from '../../machinery/patch/json-value.ts'

/** The errors that concern what the update changed. */
export function errorsOfChanges(errors: FieldError[], draft: unknown, stored: unknown): FieldError[] {
  return errors.filter(({ field, reason }) => {
    if (field === '<nil>') return !equal(withoutMetadata(draft), withoutMetadata(stored))
    // Items of lists cannot be told apart by their places: the list counts as one. What is missing is its parent's fault.
    const names = field.split('[')[0]?.split('.') ?? []
    if (reason === 'FieldValueRequired' && !field.includes('[')) names.pop()
    const [now, before] = [valueAt(draft, names), valueAt(stored, names)]
    return names.length === 0 || before === undefined || !equal(now, before)
  })
}

function valueAt(value: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), value)
}

function withoutMetadata(value: unknown): unknown {
  if (!isObject(value)) return value
  const { metadata: _, ...rest } = value
  return rest
}
