import type { V1Ingress } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const Ingress = defineResource<V1Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  model: 'V1Ingress',
  subresources: [statusSubresource()],
  storagePrefix: 'ingress',
  generation: true,
})
