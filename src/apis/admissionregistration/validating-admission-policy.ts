import type { V1ValidatingAdmissionPolicy } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

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
})
