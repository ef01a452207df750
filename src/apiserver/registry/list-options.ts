/** What a list or watch asks for; wrong combinations are refused in upstream's words. */
import { invalid } from '../../machinery/errors.ts'
import { type FieldError, forbiddenField, notSupported } from '../../machinery/field-error.ts'
import { queryInteger } from '../query-integer.ts'
import { parseResourceVersion } from './resource-version.ts'

export interface ListOptions {
  limit: number
  continue: string
  /** As given: '' and '0' mean different things. */
  resourceVersion: string
  match: '' | 'Exact' | 'NotOlderThan'
}

export interface WatchOptions extends ListOptions {
  bookmarks: boolean
  sendInitialEvents: boolean | undefined
  timeoutSeconds: number
}

export function listOptions(query: URLSearchParams): ListOptions {
  const options = read(query)
  const errors: FieldError[] = []
  const { match, resourceVersion } = options
  if (match) {
    if (!resourceVersion) errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (options.continue) errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
    if (match === 'Exact' && resourceVersion === '0')
      errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
  }
  if (query.has('sendInitialEvents')) errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  refuse(errors)
  return options
}

export function watchOptions(query: URLSearchParams): WatchOptions {
  const options = read(query)
  const sendInitialEvents = query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined
  const errors: FieldError[] = []
  if (sendInitialEvents !== undefined && options.match === '')
    errors.push(forbiddenField('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (options.match && sendInitialEvents === undefined)
    errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  else if (options.match && options.match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', options.match, ['NotOlderThan']))
  if (options.match && options.continue) errors.push(forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  refuse(errors)
  return {
    ...options,
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds: Math.max(0, queryInteger(query, 'timeoutSeconds') ?? 0),
  }
}

function read(query: URLSearchParams): ListOptions {
  const resourceVersion = query.get('resourceVersion') ?? ''
  parseResourceVersion(resourceVersion)
  return {
    limit: Math.max(0, queryInteger(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion,
    match: (query.get('resourceVersionMatch') ?? '') as ListOptions['match'],
  }
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions', name: '' }, errors)
}

const isTrue = (value: string | null) => value !== null && value !== 'false' && value !== '0'
