/** From a resource request to the verb that serves it, and from what the verb gives to an answer. */
import { badRequest, methodNotAllowed, noSuchPath } from '../../machinery/errors.ts'
import { fieldSelector } from '../../machinery/field-selectors.ts'
import type { AnyObject, Status } from '../../machinery/object.ts'
import type { RequestContext } from '../contracts.ts'
import { type Accepted, negotiate } from '../negotiation/accept.ts'
import { mediaType } from '../negotiation/body.ts'
import { includeObjectOf, present, presentEvents } from '../negotiation/present.ts'
import { queryInteger } from '../query-integer.ts'
import type { ApiResponse, RequestInfo } from '../request.ts'
import { createObject } from './create.ts'
import { decodeObject, expectedOf } from './decode.ts'
import { deleteObject } from './delete.ts'
import { deleteCollection } from './delete-collection.ts'
import { checkDeleteOptions, type DeleteOptions } from './deletion.ts'
import { getObject } from './get.ts'
import { listObjects } from './list.ts'
import { listOptions, watchOptions } from './list-options.ts'
import { type PatchAt, patchObject, patchTypeOf, readPatch } from './patch.ts'
import type { Registry } from './registry.ts'
import { getScale, patchScale, updateScale } from './scale.ts'
import { parseSelection } from './selectors.ts'
import { changeObject } from './update.ts'
import { createdOnUpdate, deletedObjectReturned } from './update-rules.ts'
import { watchObjects } from './watch.ts'
import { dryRunOf, writeRequest } from './write-request.ts'

export async function serveResource(registry: Registry, context: RequestContext): Promise<ApiResponse> {
  const { info, request } = context
  const { resource } = registry
  if (info.rest) throw noSuchPath()
  if (info.subresource) {
    const declared = resource.subresources.find((subresource) => subresource.name === info.subresource)
    if (!declared) throw noSuchPath()
    if (!declared.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed(registry.about(''), info.verb)
  } else if (!resource.verbs.some((verb) => verb === info.verb)) throw methodNotAllowed(registry.about(''), info.verb)
  checkPath(registry, info)
  // A namespace's own path names it twice; nothing else that is not in a namespace has one.
  if (!resource.namespaced && info.namespace && info.namespace !== info.name) throw noSuchPath()

  const accepted = negotiate(request.headers.accept)
  switch (info.verb) {
    case 'get':
      return answer(registry, context, accepted, 200, await get(registry, context))
    case 'list':
      return answer(registry, context, accepted, 200, await listObjects(registry, selectionOf(registry, context), listOptions(request.query)))
    case 'watch':
      return watch(registry, context, accepted)
    case 'create':
      return answer(registry, context, accepted, 201, await create(registry, context))
    case 'update':
      return update(registry, context, accepted)
    case 'patch':
      return patch(registry, context, accepted)
    case 'delete':
      return remove(registry, context, accepted)
    case 'deletecollection':
      return answer(registry, context, accepted, 200, await removeAll(registry, context))
    default:
      throw methodNotAllowed(registry.about(''), info.verb)
  }
}

/** Each verb has its path: a whole cluster can be listed, but is not deleted by it. */
function checkPath(registry: Registry, { namespace, name, verb, subresource }: RequestInfo): void {
  const isRead = verb === 'list' || verb === 'watch'
  if (registry.resource.namespaced && !namespace && !isRead) {
    if (name && verb !== 'deletecollection') throw noSuchPath()
    throw methodNotAllowed(registry.about(''), verb)
  }
  const wantsName = verb === 'update' || verb === 'patch'
  if (!subresource && ((verb === 'create' && name) || (wantsName && !name))) throw methodNotAllowed(registry.about(name), verb)
}

function answer(registry: Registry, context: RequestContext, accepted: Accepted, status: number, object: unknown): ApiResponse {
  if (!accepted.as) return { kind: 'object', status, object }
  const include = includeObjectOf(context.request.query)
  return { kind: 'object', status, object: present(object, { accepted, resource: registry.resource, include, now: registry.clock.now() }) }
}

/** The namespace of an object's own path: `/api/v1/namespaces/x` names a namespace and lies in none. */
const namespaceOf = ({ resource }: Registry, { info }: RequestContext) => (resource.namespaced ? info.namespace : '')

function get(registry: Registry, context: RequestContext): Promise<AnyObject> {
  const namespace = namespaceOf(registry, context)
  const { name, subresource } = context.info
  if (subresource === 'scale') return getScale(registry, namespace, name)
  return getObject(registry, namespace, name, context.request.query.get('resourceVersion'))
}

function selectionOf(registry: Registry, context: RequestContext, name?: string) {
  const { query } = context.request
  const named = name && fieldSelector([{ field: 'metadata.name', operator: '=', value: name }]).toString()
  const fields = [named, query.get('fieldSelector')].filter(Boolean).join(',')
  return parseSelection(registry.resource, namespaceOf(registry, context), query.get('labelSelector'), fields || null)
}

async function watch(registry: Registry, context: RequestContext, accepted: Accepted): Promise<ApiResponse> {
  const { query, signal } = context.request
  // What was allowed for one name, in the path (the old form) or by a selector, shows nothing else.
  const selection = selectionOf(registry, context, context.info.name)
  const include = includeObjectOf(query)
  const stream = await watchObjects(registry, selection, watchOptions(query), signal)
  presentEvents(stream, { accepted, resource: registry.resource, include, now: 0, clockNow: () => registry.clock.now() })
  return { kind: 'events', status: 200, events: stream }
}

async function create(registry: Registry, context: RequestContext): Promise<AnyObject> {
  const request = writeRequest(context, 'create')
  const draft = decodeObject(await context.body(), expectedOf(registry.resource), registry.schema, request)
  return createObject(registry, request, draft, namespaceOf(registry, context))
}

async function update(registry: Registry, context: RequestContext, accepted: Accepted): Promise<ApiResponse> {
  const { info } = context
  const { resource, schema } = registry
  const namespace = namespaceOf(registry, context)
  const request = writeRequest(context, 'update')
  const body = await context.body()
  if (info.subresource === 'scale') return answer(registry, context, accepted, 200, await updateScale(registry, request, namespace, info.name, body))
  const draft = decodeObject(body, expectedOf(resource), schema, request)
  if (!draft.metadata.name) throw badRequest('name must be provided')
  if (draft.metadata.name !== info.name) throw badRequest(`the name of the object (${draft.metadata.name}) does not match the name on the URL (${info.name})`)
  const { object, created } = await changeObject(registry, request, {
    namespace,
    name: info.name,
    createsMissing: info.subresource === '' && createdOnUpdate.has(registry.groupResource),
    whole: true,
    draft: () => registry.storage.draftOf(draft),
  })
  return answer(registry, context, accepted, created ? 201 : 200, object)
}

async function patch(registry: Registry, context: RequestContext, accepted: Accepted): Promise<ApiResponse> {
  const { info } = context
  const type = patchTypeOf(mediaType(context.request))
  const request = writeRequest(context, type === 'apply' ? 'apply' : 'patch')
  if (type === 'apply') request.fieldManager = context.request.query.get('fieldManager') ?? ''
  const force = context.request.query.get('force')
  if (force !== null && type !== 'apply') throw badRequest('PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch')
  const at: PatchAt = { namespace: namespaceOf(registry, context), name: info.name, type, force: force === 'true' || force === '1' }
  const body = await readPatch(context.request, type, request)
  if (info.subresource === 'scale') return answer(registry, context, accepted, 200, await patchScale(registry, request, at, body))
  const { object, created } = await patchObject(registry, request, at, body)
  return answer(registry, context, accepted, created ? 201 : 200, object)
}

/** Options come in the body, or in the query. */
async function deleteOptions(context: RequestContext): Promise<DeleteOptions> {
  const { query } = context.request
  const body = (await context.body()) as DeleteOptions | undefined
  const grace = queryInteger(query, 'gracePeriodSeconds')
  const orphan = query.get('orphanDependents')
  const policy = query.get('propagationPolicy')
  const options: DeleteOptions = body ?? {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(orphan === null ? {} : { orphanDependents: orphan === 'true' }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    dryRun: query.getAll('dryRun'),
  }
  checkDeleteOptions(options)
  return options
}

async function remove(registry: Registry, context: RequestContext, accepted: Accepted): Promise<ApiResponse> {
  const options = await deleteOptions(context)
  const request = {
    ...writeRequest(context, 'delete'),
    options: { ...options },
    dryRun: dryRunOf(options.dryRun ?? []) || dryRunOf(context.request.query.getAll('dryRun')),
  }
  const { object, removed } = await deleteObject(registry, request, namespaceOf(registry, context), context.info.name, options)
  const status = !removed && options.orphanDependents === false ? 202 : 200
  if (!removed || deletedObjectReturned.has(registry.groupResource)) return answer(registry, context, accepted, status, object)
  return { kind: 'object', status, object: success(registry, object) }
}

function success({ resource }: Registry, { metadata }: AnyObject): Status {
  const { group, plural } = resource
  const details = { name: metadata.name, ...(group ? { group } : {}), kind: plural, uid: metadata.uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}

async function removeAll(registry: Registry, context: RequestContext) {
  const options = await deleteOptions(context)
  const request = {
    ...writeRequest(context, 'delete'),
    options: { ...options },
    dryRun: dryRunOf(options.dryRun ?? []) || dryRunOf(context.request.query.getAll('dryRun')),
  }
  return deleteCollection(registry, request, selectionOf(registry, context), listOptions(context.request.query), options)
}
