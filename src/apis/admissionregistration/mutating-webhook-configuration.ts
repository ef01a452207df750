import type { V1MutatingWebhookConfiguration } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateWebhooks, webhookDefaults } from './webhook.ts'

export const MutatingWebhookConfiguration = defineResource<V1MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1MutatingWebhookConfiguration',
  generation: true,
  columns: [nameColumn, integer('Webhooks', (configuration) => configuration.webhooks?.length), ageColumn],
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      webhookDefaults(webhook)
      webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  validateUpdate: ({ webhooks }) => validateWebhooks(webhooks),
})
