import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import type { CoreV1Event } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { eventColumns } from './event-columns.ts'

export const Event = defineResource<CoreV1Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'CoreV1Event',
  selectableFields: {
    'involvedObject.apiVersion': (event) => event.involvedObject.apiVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject.fieldPath ?? '',
    'involvedObject.kind': (event) => event.involvedObject.kind ?? '',
    'involvedObject.name': (event) => event.involvedObject.name ?? '',
    'involvedObject.namespace': (event) => event.involvedObject.namespace ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject.resourceVersion ?? '',
    'involvedObject.uid': (event) => event.involvedObject.uid ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
  validateName: isPathSegment,
  columns: eventColumns,
  applyDefaults(event) {
    event.involvedObject ??= {}
    event.source ??= {}
    event.reportingComponent ??= ''
    event.reportingInstance ??= ''
  },
  validate: validateEvent,
  validateUpdate: validateEvent,
})

/** The event lies where what it tells of lies; of cluster-scoped objects in `default`. */
function validateEvent({ metadata: { namespace }, involvedObject }: CoreV1Event): FieldError[] {
  const about = involvedObject.namespace ?? ''
  const good = about === namespace || (about === '' && ['default', 'kube-system'].includes(namespace))
  return good ? [] : [invalidValue('involvedObject.namespace', about, 'does not match event.namespace')]
}
