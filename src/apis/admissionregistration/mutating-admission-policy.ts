import type { V1MutatingAdmissionPolicy } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const MutatingAdmissionPolicy = defineResource<V1MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingAdmissionPolicy',
  generation: true,
})
