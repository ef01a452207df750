import { type FieldError, notSupported, required } from '../../machinery/field-error.ts'
import type { V1ValidatingAdmissionPolicyBinding } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { matchDefaults, paramRefText, validatePolicyBinding } from './policy.ts'

export const ValidatingAdmissionPolicyBinding = defineResource<V1ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1ValidatingAdmissionPolicyBinding',
  generation: true,
  columns: [nameColumn, text('PolicyName', ({ spec }) => spec?.policyName ?? ''), text('ParamRef', ({ spec }) => paramRefText(spec?.paramRef)), ageColumn],
  applyDefaults({ spec }) {
    matchDefaults(spec?.matchResources)
  },
  validate: validateBinding,
  validateUpdate: validateBinding,
})

const actions = ['Audit', 'Deny', 'Warn']

function validateBinding({ spec }: V1ValidatingAdmissionPolicyBinding): FieldError[] {
  if (!spec) return [required('spec')]
  const errors = validatePolicyBinding(spec)
  if (!spec.validationActions?.length) errors.push(required('spec.validationActions', 'at least one validation action is required'))
  for (const action of spec.validationActions ?? []) if (!actions.includes(action)) errors.push(notSupported('spec.validationActions', action, actions))
  return errors
}
