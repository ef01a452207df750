import type { CoreV1Event } from '../../machinery/schema/generated/types.ts'
import { ageOf } from '../age.ts'
import { nameColumn, text, wide } from '../columns.ts'
import type { Column } from '../resource.ts'

const firstSeen = (event: CoreV1Event, now: number): string => ageOf(event.firstTimestamp ?? event.eventTime, now)

function lastSeen(event: CoreV1Event, now: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, now)
  return event.lastTimestamp ? ageOf(event.lastTimestamp, now) : firstSeen(event, now)
}

function source(event: CoreV1Event): string {
  const component = event.source?.component || event.reportingComponent || ''
  const host = event.source?.host || event.reportingInstance || ''
  return host ? `${component}, ${host}` : component
}

export const eventColumns: readonly Column<CoreV1Event>[] = [
  text('Last Seen', lastSeen),
  text('Type', (event) => event.type ?? ''),
  text('Reason', (event) => event.reason ?? ''),
  text('Object', ({ involvedObject: { kind = '', name } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase())),
  wide(text('Subobject', (event) => event.involvedObject.fieldPath ?? '')),
  wide(text('Source', source)),
  text('Message', (event) => (event.message ?? '').trim()),
  wide(text('First Seen', firstSeen)),
  wide(text('Count', (event) => event.series?.count ?? (event.count || 1))),
  wide(nameColumn),
]
