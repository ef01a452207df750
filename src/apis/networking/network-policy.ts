import type { V1NetworkPolicy } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const NetworkPolicy = defineResource<V1NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  model: 'V1NetworkPolicy',
  generation: true,
})
