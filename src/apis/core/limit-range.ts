import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1LimitRange } from '../../machinery/schema/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { createdAtColumn } from '../created-at-column.ts'
import { defineResource } from '../define-resource.ts'
import { canonicalAmounts, quantityOrNothing, quantityProblem } from '../resource-list.ts'

const amounts = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

export const LimitRange = defineResource<V1LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  model: 'V1LimitRange',
  columns: [nameColumn, createdAtColumn],
  applyDefaults(range) {
    range.spec ??= { limits: [] }
    for (const item of range.spec.limits ?? []) {
      for (const field of amounts) canonicalAmounts(item[field])
      if (item.type !== 'Container') continue
      // Limits that are not said are the largest; requests that are not said are the limits, or the least.
      if (item.max) item.default = { ...item.max, ...item.default }
      if (item.default || item.min) item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
    }
  },
  validate: validateRange,
  validateUpdate: validateRange,
})

const types = ['Container', 'PersistentVolumeClaim', 'Pod']

function validateRange({ spec }: V1LimitRange): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  spec?.limits?.forEach((item, index) => {
    const at = `spec.limits[${index}]`
    if (!item.type) errors.push(required(`${at}.type`))
    else if (!types.includes(item.type) && !item.type.includes('/')) errors.push(notSupported(`${at}.type`, item.type, types))
    else if (seen.has(item.type)) errors.push(duplicate(`${at}.type`, item.type))
    seen.add(item.type)
    for (const field of amounts)
      for (const [name, amount] of Object.entries(item[field] ?? {})) {
        const problem = quantityProblem(amount)
        if (problem) errors.push(invalidValue(`${at}.${field}[${name}]`, amount, problem))
      }
    for (const [low, high] of [
      ['min', 'max'],
      ['min', 'default'],
      ['min', 'defaultRequest'],
      ['defaultRequest', 'default'],
      ['default', 'max'],
      ['defaultRequest', 'max'],
    ] as const)
      for (const [name, amount] of Object.entries(item[low] ?? {})) {
        const limit = item[high]?.[name]
        const [from, to] = [quantityOrNothing(amount), quantityOrNothing(limit)]
        if (from && to && from.nanos > to.nanos)
          errors.push(invalidValue(`${at}.${low}[${name}]`, amount, `${low} value ${amount} is greater than ${high} value ${limit}`))
      }
  })
  return errors
}
