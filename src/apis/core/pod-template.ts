import type { V1PodTemplate } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const PodTemplate = defineResource<V1PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  model: 'V1PodTemplate',
})
