import type { EventsV1Event } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const EventsEvent = defineResource<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'EventsV1Event',
})
