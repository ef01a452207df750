/** The scale subresource: a Scale made of three fields of the object, and written back to one of them. */
import type { ScalePaths } from '../../apis/resource.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { invalidValue } from '../../machinery/field-error.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { cloneJson } from '../negotiation/clone-json.ts'
import { decodeObject, expectedOf } from './decode.ts'
import { applyFields } from './field-owners.ts'
import { getObject } from './get.ts'
import { applyPatch, decodePatched, type PatchAt } from './patch.ts'
import type { Registry } from './registry.ts'
import { changeObject } from './update.ts'
import type { WriteRequest } from './write-request.ts'

const expected = { kind: 'Scale', apiVersion: 'autoscaling/v1', model: 'V1Scale' }

interface Scale extends AnyObject {
  spec: { replicas?: number }
}

export async function getScale(registry: Registry, namespace: string, name: string): Promise<AnyObject> {
  return scaleOf(await getObject(registry, namespace, name, null), pathsOf(registry))
}

export async function updateScale(registry: Registry, request: WriteRequest, namespace: string, name: string, body: unknown): Promise<AnyObject> {
  const scale = decodeObject(body, expected, registry.schema, request) as Scale
  if (scale.metadata.name && scale.metadata.name !== name)
    throw badRequest(`the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`)
  return writeScale(registry, request, namespace, name, () => scale)
}

export function patchScale(registry: Registry, request: WriteRequest, at: PatchAt, patch: unknown): Promise<AnyObject> {
  const paths = pathsOf(registry)
  if (at.type === 'apply') return applyScale(registry, request, at, patch)
  return writeScale(registry, request, at.namespace, at.name, (stored) => {
    const current = scaleOf(stored, paths)
    const patched = applyPatch(registry, at.type, current, patch, expected.model)
    return decodePatched(registry, request, patched, current, undefined, expected) as Scale
  })
}

/** What is applied to the scale is applied to the one field of the object that it stands for; who applies owns that. */
async function applyScale(registry: Registry, request: WriteRequest, { namespace, name, force }: PatchAt, patch: unknown): Promise<AnyObject> {
  const paths = pathsOf(registry)
  const { resource, schema } = registry
  const { metadata, spec } = decodeObject(patch, expected, schema, request) as Scale
  if (metadata.name !== undefined && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  if (metadata.managedFields?.length) throw badRequest('metadata.managedFields must be nil')
  const { kind, apiVersion } = expectedOf(resource)
  const { object } = await changeObject(registry, request, {
    namespace,
    name,
    createsMissing: false,
    tracked: true,
    draft(current) {
      const applied = { kind, apiVersion, metadata: { name, ...(namespace ? { namespace } : {}) } } as AnyObject
      if (spec?.replicas !== undefined) writePath(applied, paths.specReplicas, spec.replicas)
      const draft = cloneJson(applyFields(registry, request, current, applied, force))
      if (metadata.resourceVersion) draft.metadata.resourceVersion = metadata.resourceVersion
      return draft
    },
  })
  return scaleOf(object, paths)
}

async function writeScale(
  registry: Registry,
  request: WriteRequest,
  namespace: string,
  name: string,
  wanted: (stored: AnyObject) => Scale,
): Promise<AnyObject> {
  const paths = pathsOf(registry)
  const { object } = await changeObject(registry, request, {
    namespace,
    name,
    createsMissing: false,
    draft(stored) {
      if (!stored) throw new Error('a scale needs something to change')
      const { metadata, spec } = wanted(stored)
      const replicas = spec?.replicas ?? 0
      if (replicas < 0)
        throw invalid({ group: 'autoscaling', kind: 'Scale', name }, [invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0')])
      const draft = registry.storage.draftOf(stored)
      writePath(draft, paths.specReplicas, replicas)
      if (metadata.resourceVersion) draft.metadata.resourceVersion = metadata.resourceVersion
      return draft
    },
  })
  return scaleOf(object, paths)
}

function pathsOf({ resource }: Registry): ScalePaths {
  if (!resource.scale) throw new Error(`${resource.plural} do not say how they scale`)
  return resource.scale
}

function scaleOf(object: AnyObject, paths: ScalePaths): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.selector ? selectorText(readPath(object, paths.selector)) : ''
  return {
    kind: expected.kind,
    apiVersion: expected.apiVersion,
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(readPath(object, paths.specReplicas) ?? 0) },
    status: { replicas: Number(readPath(object, paths.statusReplicas) ?? 0), ...(selector ? { selector } : {}) },
  }
}

const parts = (path: string) => path.replace(/^\./, '').split('.')

function readPath(object: unknown, path: string): unknown {
  let value = object
  for (const part of parts(path)) value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}

function writePath(object: AnyObject, path: string, value: unknown): void {
  const names = parts(path)
  const last = names.pop() ?? ''
  let target = object as Record<string, unknown>
  for (const name of names) {
    target[name] ??= {}
    target = target[name] as Record<string, unknown>
  }
  target[last] = value
}

interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

/** A label selector as it is written in a query. */
export function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  // The oldest kind that scales selects by a plain map of labels.
  const plain = Object.values(selector ?? {}).every((value) => typeof value === 'string')
  const { matchLabels = {}, matchExpressions = [] } = (plain ? { matchLabels: selector ?? {} } : selector) as LabelSelector
  const terms = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  for (const { key, operator, values = [] } of matchExpressions) {
    const set = `(${[...values].sort().join(',')})`
    if (operator === 'In') terms.push(`${key} in ${set}`)
    else if (operator === 'NotIn') terms.push(`${key} notin ${set}`)
    else terms.push(operator === 'Exists' ? key : `!${key}`)
  }
  return terms.sort().join(',')
}
