import type { V1Secret } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const Secret = defineResource<V1Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  model: 'V1Secret',
})
