import type { V1StatefulSet } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { scaleSubresource, statusSubresource } from '../subresources.ts'

export const StatefulSet = defineResource<V1StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  model: 'V1StatefulSet',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
})
