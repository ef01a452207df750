import type { V1ReplicaSet } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { scaleSubresource, statusSubresource } from '../subresources.ts'

export const ReplicaSet = defineResource<V1ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  model: 'V1ReplicaSet',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
})
