/** Gives an answer of the registry the kind that the client accepts: as it is, a Table, or metadata alone. */
import { scaleColumns } from '../../apis/autoscaling/scale-columns.ts'
import type { Column, Resource } from '../../apis/resource.ts'
import { badRequest } from '../../machinery/errors.ts'
import type { AnyObject, ObjectList } from '../../machinery/object.ts'
import type { Event, WatchStream } from '../watch-cache/watch-stream.ts'
import type { Accepted } from './accept.ts'
import { partialMetadata, partialMetadataList } from './partial-metadata.ts'
import { type IncludeObject, tableOf, tableOfBookmark } from './table.ts'

export interface Presentation {
  accepted: Accepted
  resource: Resource
  include: IncludeObject
  now: number
}

export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? 'Metadata'
  if (value === '' || value === 'Metadata') return 'Metadata'
  if (value === 'None' || value === 'Object') return value
  throw badRequest(`includeObject must be one of 'None', 'Metadata', or 'Object', not '${value}'`)
}

export function present(object: unknown, { accepted, resource, include, now }: Presentation): unknown {
  if (accepted.as === 'Table' && isScale(object)) return tableOf(object, { resource: scale(resource), include, now, version: accepted.asVersion })
  if (!accepted.as || !isOfResource(object, resource)) return object
  const version = accepted.asVersion
  if (accepted.as === 'Table') return tableOf(object, { resource, include, now, version })
  if (isList(object)) return partialMetadataList(object, version)
  return partialMetadata(object, version)
}

export function presentEvents(stream: WatchStream, presentation: Presentation & { clockNow(): number }): void {
  const { accepted, resource, include, clockNow } = presentation
  const version = accepted.asVersion
  if (!accepted.as) return
  if (accepted.as !== 'Table') {
    stream.render = (event) => (event.type === 'ERROR' ? event : { ...event, object: partialMetadata(event.object, version) })
    return
  }
  let first = true
  stream.render = (event): Event => {
    if (event.type === 'ERROR') return event
    if (event.type === 'BOOKMARK') return { ...event, object: tableOfBookmark(event.object, { version }) as unknown as AnyObject }
    const table = tableOf(event.object, { resource, include, now: clockNow(), version }, first)
    first = false
    return { ...event, object: table as unknown as AnyObject }
  }
}

const isScale = (object: unknown): object is AnyObject => (object as AnyObject).kind === 'Scale'
const scale = (resource: Resource): Resource => ({ ...resource, columns: scaleColumns as readonly Column[] })

const isList = (object: AnyObject | ObjectList<AnyObject>): object is ObjectList<AnyObject> => 'items' in object && Array.isArray(object.items)

/** Statuses and bodies of subresources go as they are. */
function isOfResource(object: unknown, resource: Resource): object is AnyObject | ObjectList<AnyObject> {
  const { kind } = object as AnyObject
  return kind === resource.kind || kind === `${resource.kind}List`
}
