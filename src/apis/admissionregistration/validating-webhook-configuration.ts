import type { V1ValidatingWebhookConfiguration } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ValidatingWebhookConfiguration = defineResource<V1ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1ValidatingWebhookConfiguration',
  generation: true,
})
