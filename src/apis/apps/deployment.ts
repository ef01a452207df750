import type { V1Deployment } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { scaleSubresource, statusSubresource } from '../subresources.ts'

export const Deployment = defineResource<V1Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  model: 'V1Deployment',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
})
