import type { CoreV1Event } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const Event = defineResource<CoreV1Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'CoreV1Event',
})
