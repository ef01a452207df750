import type { V1IngressClass } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const IngressClass = defineResource<V1IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  model: 'V1IngressClass',
  generation: true,
})
