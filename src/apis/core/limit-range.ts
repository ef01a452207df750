import type { V1LimitRange } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const LimitRange = defineResource<V1LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  model: 'V1LimitRange',
})
