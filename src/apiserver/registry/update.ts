/**
 * The one way in which a stored object changes: PUT, patch, apply, their subresources. A new draft is made from what
 * is stored, checked, and written if nobody else was faster; else made again.
 */
import { validateMetadataUpdate } from '../../apis/metadata-validation.ts'
import { conflict, invalid, isApiError, modified, notFound } from '../../machinery/errors.ts'
import { invalidValue } from '../../machinery/field-error.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { equal } from '../../machinery/patch/json-value.ts'
import { shareUnchanged } from '../../machinery/patch/share-unchanged.ts'
import { createObject, placeIn } from './create.ts'
import { ensureSpec } from './decode.ts'
import { afterRemoval, isHeldBack } from './deletion.ts'
import { trackFields } from './field-owners.ts'
import type { Registry } from './registry.ts'
import { Rollbacks } from './rollbacks.ts'
import type { Current } from './storage.ts'
import { prepareSubresource, validateSubresource } from './subresource-rules.ts'
import { conditionalUpdateOnly } from './update-rules.ts'
import type { WriteRequest } from './write-request.ts'

export interface Change {
  namespace: string
  name: string
  /** The new state as the client wants it, a draft of its own each time; undefined current: the object is not there. */
  draft(current: AnyObject | undefined): AnyObject | Promise<AnyObject>
  createsMissing: boolean
  /** The draft's managedFields are made already (apply). */
  tracked?: boolean
  /** The client sent a whole object, so a version it leaves out means "whichever is there". */
  whole?: boolean
  /** Checks and admission are not asked (marks that the server sets itself). */
  trusted?: boolean
}

export interface Changed {
  object: AnyObject
  created: boolean
}

export async function changeObject(registry: Registry, request: WriteRequest, change: Change): Promise<Changed> {
  const { namespace, name, createsMissing } = change
  // Whoever loses against others tries again until nobody waits for it any more: each time one of them has won.
  for (;;) {
    const current = await registry.storage.current(namespace, name)
    if (!current) {
      if (!createsMissing) throw notFound(registry.about(name))
      const draft = await change.draft(undefined)
      if (draft.metadata.uid) throw uidConflict(registry, draft, '')
      const created = await createObject(registry, request, draft, namespace, change.tracked).catch(async (error: unknown) => {
        // Somebody else has made it meanwhile: then it is there to be changed.
        if (!isApiError(error, 'AlreadyExists') || !(await registry.storage.current(namespace, name))) throw error
      })
      if (created) return { object: created, created: true }
    } else {
      const draft = await change.draft(current.object)
      const changed = await changeCurrent(registry, request, change, current, draft)
      if (changed) return { object: changed, created: false }
    }
    if (request.signal.aborted) throw modified(registry.about(name))
  }
}

/** Undefined: somebody else was faster. */
async function changeCurrent(registry: Registry, request: WriteRequest, change: Change, current: Current, wanted: AnyObject): Promise<AnyObject | undefined> {
  const { resource, admission, strategy, storage } = registry
  const { namespace, name } = change
  const stored = current.object
  placeIn(namespace, wanted, registry)
  checkPreconditions(registry, wanted, stored, change)
  keepIdentity(wanted, stored)
  ensureSpec(wanted, resource.model, registry.schema)
  resource.applyDefaults(wanted)
  const draft = change.tracked ? wanted : trackFields(registry, request, stored, wanted)
  const attributes = registry.attributes('update', request, { namespace: resource.namespaced ? namespace : '', name, object: draft, old: stored })
  if (!change.trusted) {
    await admission.mutate(attributes)
    resource.applyDefaults(draft)
  }

  // A scale is written into the object, and the object must be good with it.
  const below = request.subresource === 'scale' ? '' : request.subresource
  const rollbacks = new Rollbacks()
  try {
    if (below) prepareSubresource(resource, below, draft, stored, strategy)
    else {
      resource.prepareForUpdate(draft, stored, strategy)
      for (const hook of registry.hooks) rollbacks.add(await hook.beforeUpdate?.(draft, stored, registry.hookAttributes(request)))
    }
    countGeneration(registry, request, draft, stored)
    const errors = validateMetadataUpdate(draft.metadata, stored.metadata)
    errors.push(...(below ? validateSubresource(resource, below, draft, stored) : resource.validateUpdate(draft, stored)))
    if (errors.length > 0) throw invalid(registry.kindAbout(name), errors)
    if (!change.trusted) await admission.validate(attributes)
    for (const warning of resource.warnings(draft, stored)) request.warn(warning)

    // What stays is the stored one's own: versions share what they have in common.
    if (shareUnchanged(stored, draft) === stored) {
      await rollbacks.undo()
      return stored
    }
    if (request.dryRun) {
      await rollbacks.undo()
      return draft
    }
    // Its last finalizer went: the object goes with it.
    if (isFinalized(registry, draft)) {
      const removed = await storage.remove(draft, current.revision, request)
      if (!removed) await rollbacks.undo()
      else await afterRemoval(registry, request, removed)
      return removed && { ...removed, metadata: { ...removed.metadata, resourceVersion: stored.metadata.resourceVersion } }
    }
    const written = await storage.put(draft, current.revision, request)
    if (!written) await rollbacks.undo()
    else
      for (const hook of registry.hooks)
        if (hook.afterUpdate) await registry.after('update', () => hook.afterUpdate?.(written, stored, registry.hookAttributes(request)))
    return written
  } catch (error) {
    await rollbacks.undo()
    throw error
  }
}

function checkPreconditions(registry: Registry, draft: AnyObject, stored: AnyObject, { name, whole }: Change): void {
  const { uid, resourceVersion } = draft.metadata
  if (uid && uid !== stored.metadata.uid) throw uidConflict(registry, draft, stored.metadata.uid)
  if (!resourceVersion || resourceVersion === '0') {
    if (whole && conditionalUpdateOnly.has(registry.groupResource))
      throw invalid(registry.kindAbout(name), [
        { ...invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'), message: 'Invalid value: 0x0: must be specified for an update' },
      ])
    return
  }
  if (resourceVersion !== stored.metadata.resourceVersion) throw modified(registry.about(name))
}

const uidConflict = (registry: Registry, draft: AnyObject, stored: string) =>
  conflict(registry.about(draft.metadata.name), `Precondition failed: UID in precondition: ${draft.metadata.uid}, UID in object meta: ${stored}`)

const identity = ['name', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generateName'] as const

/** What a client may leave out of an update stays as it is. */
function keepIdentity(draft: AnyObject, { metadata: stored }: AnyObject): void {
  const metadata = draft.metadata as unknown as Record<string, unknown>
  for (const field of identity) if (metadata[field] === undefined && stored[field] !== undefined) metadata[field] = stored[field]
  metadata.resourceVersion = stored.resourceVersion
  if (stored.generation === undefined) delete metadata.generation
  else metadata.generation = stored.generation
  delete metadata.selfLink
}

/** A status is not wanted but found; where a pod is bound to is what it wanted from the start: some node (KEP-5067). */
const uncounted: ReadonlySet<string> = new Set(['status', 'binding'])

/** The generation counts changes of what the object wants: all but its metadata and status. */
function countGeneration({ resource }: Registry, request: WriteRequest, draft: AnyObject, stored: AnyObject): void {
  if (!resource.generation || uncounted.has(request.subresource ?? '')) return
  const kept = new Set(['metadata', 'status'])
  const names = new Set([...Object.keys(draft), ...Object.keys(stored)])
  for (const name of names) {
    if (kept.has(name) || equal(draft[name], stored[name])) continue
    draft.metadata.generation = (stored.metadata.generation ?? 0) + 1
    return
  }
}

function isFinalized(registry: Registry, { metadata, ...rest }: AnyObject): boolean {
  if (!metadata.deletionTimestamp || (metadata.finalizers?.length ?? 0) > 0) return false
  return (metadata.deletionGracePeriodSeconds ?? 0) === 0 && !isHeldBack(registry, { metadata, ...rest })
}
