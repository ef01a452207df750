import type { V1MutatingAdmissionPolicyBinding } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const MutatingAdmissionPolicyBinding = defineResource<V1MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingAdmissionPolicyBinding',
  generation: true,
})
