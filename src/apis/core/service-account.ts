import type { V1ServiceAccount } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'

export const ServiceAccount = defineResource<V1ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  model: 'V1ServiceAccount',
  subresources: [
    {
      name: 'token',
      model: 'AuthenticationV1TokenRequest',
      kind: 'TokenRequest',
      group: 'authentication.k8s.io',
      version: 'v1',
      verbs: ['create'],
    },
  ],
  columns: [nameColumn, text('Secrets', (account) => account.secrets?.length ?? 0), ageColumn],
})
