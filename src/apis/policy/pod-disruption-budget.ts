import type { V1PodDisruptionBudget } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const PodDisruptionBudget = defineResource<V1PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  model: 'V1PodDisruptionBudget',
  subresources: [statusSubresource()],
  generation: true,
})
