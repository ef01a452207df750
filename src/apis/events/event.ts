import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { CoreV1Event, EventsV1Event } from '../../machinery/schema/generated/types.ts'
import { Event } from '../core/event.ts'
import { eventColumns } from '../core/event-columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateQualifiedName } from '../label-validation.ts'
import type { Column, Resource } from '../resource.ts'

/** The same objects as core events, under the names of the newer group. */
export const EventsEvent = defineResource<EventsV1Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  model: 'EventsV1Event',
  storedAs: {
    resource: Event as unknown as Resource,
    toStored: (event) => toCore(event) as unknown as AnyObject,
    fromStored: (event) => fromCore(event as unknown as CoreV1Event),
  },
  selectableFields: {
    reason: (event) => event.reason ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
  validateName: isPathSegment,
  columns: eventColumns.map((column): Column<EventsV1Event> => ({ ...column, value: (event, now) => column.value(toCore(event), now) })),
  applyDefaults(event) {
    event.regarding ??= {}
    event.deprecatedSource ??= {}
  },
  validate: validateEvent,
})

function toCore(event: EventsV1Event): CoreV1Event {
  const { note, regarding, reportingController, deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...same } = event
  return present({
    ...same,
    apiVersion: 'v1',
    message: note,
    involvedObject: regarding ?? {},
    reportingComponent: reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
    source: deprecatedSource ?? {},
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  })
}

function fromCore(event: CoreV1Event): EventsV1Event {
  const { message, involvedObject, reportingComponent, source, firstTimestamp, lastTimestamp, count, series, eventTime, ...same } = event
  return present({
    ...same,
    apiVersion: 'events.k8s.io/v1',
    // Old events have no such time; the field is written all the same.
    eventTime: eventTime ?? (null as unknown as string),
    note: message,
    regarding: involvedObject,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    series: series && { count: series.count ?? 0, lastObservedTime: series.lastObservedTime ?? '' },
  })
}

/** Leaves out the fields that have no value. */
const present = <T extends object>(object: T): T => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T

function validateEvent(event: EventsV1Event): FieldError[] {
  const errors: FieldError[] = []
  const { metadata, regarding, eventTime, reportingController = '', reportingInstance = '', action = '', reason = '', note = '', type = '' } = event
  const about = regarding?.namespace ?? ''
  if (about !== metadata.namespace && !(about === '' && ['default', 'kube-system'].includes(metadata.namespace)))
    errors.push(invalidValue('involvedObject.namespace', about, 'does not match event.namespace'))
  if (!eventTime) errors.push(required('eventTime'))
  if (type !== 'Normal' && type !== 'Warning') errors.push(notSupported('type', type, ['Normal', 'Warning']))
  if (reportingController === '') errors.push(required('reportingController'))
  else errors.push(...validateQualifiedName(reportingController, 'reportingController'))
  for (const [field, value] of [
    ['reportingInstance', reportingInstance],
    ['action', action],
    ['reason', reason],
  ] as const) {
    if (value === '') errors.push(required(field))
    else if (value.length > 128) errors.push(invalidValue(field, '', 'can have at most 128 characters'))
  }
  if (Buffer.byteLength(note) > 1024) errors.push(invalidValue('message', '', 'can have at most 1024 characters'))
  return errors
}
