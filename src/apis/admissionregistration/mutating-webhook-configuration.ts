import type { V1MutatingWebhookConfiguration } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const MutatingWebhookConfiguration = defineResource<V1MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingWebhookConfiguration',
  generation: true,
})
