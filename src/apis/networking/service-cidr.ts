import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1ServiceCIDR } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isCidr } from '../formats.ts'
import { immutable } from '../immutable.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const ServiceCIDR = defineResource<V1ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  model: 'V1ServiceCIDR',
  subresources: [statusSubresource()],
  generation: true,
  columns: [nameColumn, text('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
  prepareForCreate(range) {
    range.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateRanges,
  validateUpdate: (draft, stored) => immutable('spec.cidrs', draft.spec?.cidrs, stored.spec?.cidrs),
})

function validateRanges({ spec }: V1ServiceCIDR): FieldError[] {
  const ranges = spec?.cidrs ?? []
  if (ranges.length === 0) return [required('spec.cidrs', 'at least one CIDR required')]
  const errors: FieldError[] = []
  if (ranges.length > 2) errors.push(invalidValue('spec', spec, 'may only hold up to 2 values'))
  ranges.forEach((range, index) => {
    for (const message of isCidr(range)) errors.push(invalidValue(`spec.cidrs[${index}]`, range, message))
  })
  return errors
}
