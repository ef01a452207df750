import type { V1Job } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const Job = defineResource<V1Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  model: 'V1Job',
  subresources: [statusSubresource()],
  generation: true,
})
