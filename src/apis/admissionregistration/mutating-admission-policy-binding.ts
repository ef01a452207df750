import type { V1MutatingAdmissionPolicyBinding } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { matchDefaults, paramRefText, validatePolicyBinding } from './policy.ts'

export const MutatingAdmissionPolicyBinding = defineResource<V1MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingAdmissionPolicyBinding',
  generation: true,
  columns: [nameColumn, text('PolicyName', ({ spec }) => spec?.policyName ?? ''), text('ParamRef', ({ spec }) => paramRefText(spec?.paramRef)), ageColumn],
  applyDefaults({ spec }) {
    matchDefaults(spec?.matchResources)
  },
  validate: ({ spec = {} }) => validatePolicyBinding(spec),
  validateUpdate: ({ spec = {} }) => validatePolicyBinding(spec),
})
