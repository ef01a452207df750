import type { V1ServiceCIDR } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const ServiceCIDR = defineResource<V1ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  namespaced: false,
  model: 'V1ServiceCIDR',
  subresources: [statusSubresource()],
  generation: true,
})
