/** meta.k8s.io Table: what `kubectl get` prints, rendered by the server from the resource's columns. */
import type { Column, Resource } from '../../apis/resource.ts'
import type { AnyObject, ObjectList } from '../../machinery/object.ts'
import { partialMetadata } from './partial-metadata.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

const nameColumn: Column = {
  name: 'Name',
  format: 'name',
  description: 'Name must be unique within a namespace. Is required when creating resources. Cannot be updated.',
  value: (object) => object.metadata.name,
}
const createdAt: Column = {
  name: 'Created At',
  type: 'date',
  description: 'CreationTimestamp is the time at which the server created the object.',
  value: (object) => object.metadata.creationTimestamp,
}

export function columnsOf(resource: Resource): readonly Column[] {
  const { columns } = resource
  if (columns.length === 0) return [nameColumn, createdAt]
  return columns.some(({ name }) => name === 'Name') ? columns : [nameColumn, ...columns]
}

interface TableOptions {
  resource: Resource
  include: IncludeObject
  now: number
  version: string
}

export function tableOf(source: AnyObject | ObjectList<AnyObject>, options: TableOptions, withDefinitions = true) {
  const columns = columnsOf(options.resource)
  const items = 'items' in source && Array.isArray(source.items) ? (source.items as AnyObject[]) : [source as AnyObject]
  const list = 'items' in source
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata: list ? source.metadata : { resourceVersion: source.metadata.resourceVersion },
    columnDefinitions: withDefinitions ? columns.map(definitionOf) : null,
    rows: items.map((item) => ({ cells: columns.map((column) => column.value(item, options.now)), object: included(item, options) })),
  }
}

/** A bookmark has no cells; its object carries the revision. */
export function tableOfBookmark(bookmark: AnyObject, { version }: { version: string }) {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: { resourceVersion: bookmark.metadata.resourceVersion },
    columnDefinitions: null,
    rows: [{ cells: [], object: partialMetadata(bookmark, version) }],
  }
}

function included(item: AnyObject, { include, version }: TableOptions): unknown {
  if (include === 'Object') return item
  return include === 'None' ? null : partialMetadata(item, version)
}

function definitionOf(column: Column) {
  return {
    name: column.name,
    type: column.type ?? 'string',
    format: column.format ?? (column.name === 'Name' ? 'name' : ''),
    description: column.description ?? '',
    priority: column.priority ?? 0,
  }
}
