import type { V1ReplicationController } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { scaleSubresource, statusSubresource } from '../subresources.ts'

export const ReplicationController = defineResource<V1ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  model: 'V1ReplicationController',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  storagePrefix: 'controllers',
  generation: true,
})
