import type { V1ValidatingWebhookConfiguration } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateWebhooks, webhookDefaults } from './webhook.ts'

export const ValidatingWebhookConfiguration = defineResource<V1ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1ValidatingWebhookConfiguration',
  generation: true,
  columns: [nameColumn, integer('Webhooks', (configuration) => configuration.webhooks?.length), ageColumn],
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      webhookDefaults(webhook)
    }
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  validateUpdate: ({ webhooks }) => validateWebhooks(webhooks),
})
