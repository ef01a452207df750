import type { V1PriorityLevelConfiguration } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const PriorityLevelConfiguration = defineResource<V1PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  model: 'V1PriorityLevelConfiguration',
  subresources: [statusSubresource()],
  generation: true,
})
