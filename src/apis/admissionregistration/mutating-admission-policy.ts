import type { V1MutatingAdmissionPolicy } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { matchDefaults, paramKindText, validatePolicy } from './policy.ts'

export const MutatingAdmissionPolicy = defineResource<V1MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingAdmissionPolicy',
  generation: true,
  columns: [
    nameColumn,
    integer('Mutations', ({ spec }) => spec?.mutations?.length),
    text('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ],
  applyDefaults(policy) {
    policy.spec ??= {}
    policy.spec.failurePolicy ??= 'Fail'
    matchDefaults(policy.spec.matchConstraints)
  },
  validate: ({ spec = {} }) => validatePolicy(spec, spec.mutations, 'mutations'),
  validateUpdate: ({ spec = {} }) => validatePolicy(spec, spec.mutations, 'mutations'),
})
