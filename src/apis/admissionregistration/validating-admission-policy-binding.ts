import type { V1ValidatingAdmissionPolicyBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ValidatingAdmissionPolicyBinding = defineResource<V1ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1ValidatingAdmissionPolicyBinding',
  generation: true,
})
