import type { V1Lease } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const Lease = defineResource<V1Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  model: 'V1Lease',
})
