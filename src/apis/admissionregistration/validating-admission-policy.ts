import { type FieldError, required } from '../../machinery/field-error.ts'
import type { V1ValidatingAdmissionPolicy } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { matchDefaults, paramKindText, validatePolicy } from './policy.ts'

export const ValidatingAdmissionPolicy = defineResource<V1ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1ValidatingAdmissionPolicy',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    integer('Validations', ({ spec }) => spec?.validations?.length),
    text('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
  applyDefaults(policy) {
    policy.spec ??= {}
    policy.spec.failurePolicy ??= 'Fail'
    matchDefaults(policy.spec.matchConstraints)
  },
  prepareForCreate(policy) {
    policy.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateValidatingPolicy,
  validateUpdate: validateValidatingPolicy,
})

function validateValidatingPolicy({ spec = {} }: V1ValidatingAdmissionPolicy): FieldError[] {
  const errors = validatePolicy(spec, spec.validations, 'validations')
  spec.validations?.forEach(({ expression }, index) => {
    if (!expression?.trim()) errors.push(required(`spec.validations[${index}].expression`, 'expression is not specified'))
  })
  return errors
}
