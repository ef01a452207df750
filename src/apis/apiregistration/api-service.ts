import type { V1APIService } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const APIService = defineResource<V1APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1APIService',
  subresources: [statusSubresource()],
  storagePrefix: 'apiregistration.k8s.io/apiservices',
})
