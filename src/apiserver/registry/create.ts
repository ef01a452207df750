/** POST: makes an object out of a draft. */
import { validateMetadata } from '../../apis/metadata-validation.ts'
import { timestamp } from '../../machinery/clock.ts'
import { ApiError, alreadyExists, badRequest, generateNameConflict, invalid } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { AdmissionAttributes } from '../contracts.ts'
import { ensureSpec } from './decode.ts'
import { trackFields } from './field-owners.ts'
import { generateName } from './object-name.ts'
import type { Registry } from './registry.ts'
import { Rollbacks } from './rollbacks.ts'
import type { WriteRequest } from './write-request.ts'

const nameAttempts = 8

/** `body` is the decoded one, the caller's own; `namespace` that of the path. `tracked`: its managedFields are made already (apply). */
export async function createObject(registry: Registry, request: WriteRequest, body: AnyObject, namespace: string, tracked = false): Promise<AnyObject> {
  const { resource, admission } = registry
  placeIn(namespace, body, registry)
  if (body.metadata.resourceVersion) throw resourceVersionSet()
  const { name, generateName: base } = body.metadata
  const generated = !name && base ? base : undefined

  ensureSpec(body, resource.model, registry.schema)
  resource.applyDefaults(body)
  const draft = tracked ? body : trackFields(registry, request, undefined, body)
  const attributes = registry.attributes('create', request, {
    namespace: resource.namespaced ? namespace : '',
    name: name ?? '',
    object: draft,
    old: undefined,
  })
  await admission.mutate(attributes)
  if (!generated) {
    const created = await storeNew(registry, request, draft, attributes)
    if (!created) throw alreadyExists(registry.about(draft.metadata.name))
    return created
  }
  // What follows from the name is made anew for each name that is tried.
  for (let attempt = 1; ; attempt++) {
    const tried = registry.storage.draftOf(draft)
    tried.metadata.name = generateName(generated, registry.clock)
    const created = await storeNew(registry, request, tried, attributes)
    if (created) return created
    if (attempt === nameAttempts) throw generateNameConflict(registry.about(tried.metadata.name))
  }
}

/** Undefined: the name is taken. */
async function storeNew(registry: Registry, request: WriteRequest, draft: AnyObject, attributes: AdmissionAttributes): Promise<AnyObject | undefined> {
  const { resource, admission, storage, strategy } = registry
  resource.applyDefaults(draft)
  fillSystemFields(draft, registry)
  resource.prepareForCreate(draft, strategy)

  const rollbacks = new Rollbacks()
  try {
    for (const hook of registry.hooks) rollbacks.add(await hook.beforeCreate?.(draft, registry.hookAttributes(request)))
    const errors = [...validateMetadata(draft.metadata, resource), ...resource.validate(draft)]
    if (errors.length > 0) throw invalid(registry.kindAbout(draft.metadata.name ?? ''), errors)
    await admission.validate({ ...attributes, name: draft.metadata.name, object: draft })
    for (const warning of resource.warnings(draft, undefined)) request.warn(warning)
    if (request.dryRun) {
      const taken = await storage.current(draft.metadata.namespace ?? '', draft.metadata.name)
      await rollbacks.undo()
      return taken ? undefined : draft
    }
    const created = await storage.put(draft, 0, request)
    if (!created) {
      await rollbacks.undo()
      return undefined
    }
    for (const hook of registry.hooks) if (hook.afterCreate) await registry.after('create', () => hook.afterCreate?.(created, registry.hookAttributes(request)))
    return created
  } catch (error) {
    await rollbacks.undo()
    throw error
  }
}

/** The namespace of the path is that of the object. */
export function placeIn(namespace: string, draft: AnyObject, registry: Registry): void {
  const { metadata } = draft
  if (!registry.resource.namespaced) {
    if (metadata.namespace === '') delete metadata.namespace
    return
  }
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  metadata.namespace = namespace
}

/** Identity is the server's to give. */
function fillSystemFields({ metadata }: AnyObject, { clock, resource }: Registry): void {
  metadata.creationTimestamp = timestamp(clock.now())
  metadata.uid = clock.uuid()
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  delete metadata.generation
  if (resource.generation) metadata.generation = 1
}

const resourceVersionSet = () =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'resourceVersion should not be set on objects to be created',
    code: 500,
  })
