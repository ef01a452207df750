import type { V1ControllerRevision } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const ControllerRevision = defineResource<V1ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  model: 'V1ControllerRevision',
})
