/** PATCH: the four kinds of patches, each a function from what is stored to what is wanted. */

import { typedErrors } from '../../machinery/apply/typed-errors.ts'
import { badRequest, unsupportedMediaType } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { jsonPatch } from '../../machinery/patch/json-patch.ts'
import { isObject } from '../../machinery/patch/json-value.ts'
import { mergePatch } from '../../machinery/patch/merge-patch.ts'
import { strategicMergePatch } from '../../machinery/patch/strategic-merge.ts'
import { jsonComplaints, parseJson, parseYamlText, yamlComplaints } from '../negotiation/body.ts'
import { cloneJson } from '../negotiation/clone-json.ts'
import type { ApiRequest } from '../request.ts'
import { decodeObject, expectedOf, inOneLine, strictError, strictly } from './decode.ts'
import { applyFields } from './field-owners.ts'
import { patchedInvalid, strategicPatchInvalid } from './patch-errors.ts'
import type { Registry } from './registry.ts'
import { type Changed, changeObject } from './update.ts'
import type { WriteRequest } from './write-request.ts'

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

const types: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  'application/apply-patch+json': 'apply',
}

export function patchTypeOf(mediaType: string): PatchType {
  const type = types[mediaType]
  if (!type) throw unsupportedMediaType(Object.keys(types).filter((name) => name !== 'application/apply-patch+json'))
  return type
}

/** The patch itself: JSON, or for apply YAML. Of fields that stand twice in it the client hears as it asked to. */
export async function readPatch(
  request: ApiRequest,
  type: PatchType,
  { fieldValidation, warn }: Pick<WriteRequest, 'fieldValidation' | 'warn'>,
): Promise<unknown> {
  if (request.object !== undefined) return cloneJson(request.object)
  const bytes = await request.readBody?.()
  if (!bytes || bytes.byteLength === 0) throw badRequest('error decoding patch: unexpected end of JSON input')
  // JSON is YAML, and parsed faster.
  const isYaml = type === 'apply' && bytes[0] !== 0x7b
  const patch = isYaml ? parseYamlText(bytes) : parseJson(bytes)
  if (fieldValidation === 'Ignore') return patch
  const complaints = isYaml ? yamlComplaints(bytes) : jsonComplaints(bytes)
  if (complaints.length === 0) return patch
  const message = complaints.join(', ')
  if (fieldValidation === 'Strict') {
    throw type === 'apply' ? badRequest(`error strict decoding YAML: error converting YAML to JSON: ${message}`) : patchedInvalid(patch, strictly(message))
  }
  for (const complaint of complaints) warn(inOneLine(complaint))
  return patch
}

export interface PatchAt {
  namespace: string
  name: string
  type: PatchType
  force: boolean
}

export function patchObject(registry: Registry, request: WriteRequest, at: PatchAt, patch: unknown): Promise<Changed> {
  const { namespace, name } = at
  if (at.type === 'apply') return applyObject(registry, request, at, patch)
  return changeObject(registry, request, {
    namespace,
    name,
    createsMissing: false,
    draft(current) {
      if (!current) throw new Error('a patch needs something to change')
      const patched = applyPatch(registry, at.type, current, patch)
      return cloneJson(decodePatched(registry, request, patched, current, at.type === 'strategic' ? patch : undefined))
    },
  })
}

export function applyPatch({ schema, resource }: Registry, type: PatchType, current: AnyObject, patch: unknown, model = resource.model): unknown {
  switch (type) {
    case 'json':
      return jsonPatch(current, patch)
    case 'merge':
      return mergePatch(current, patch)
    default:
      if (!schema.has(model) || schema.model(model).open || schema.model(model).lenient)
        throw unsupportedMediaType(['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'])
      return strategicMergePatch(schema, model, current, patch)
  }
}

/** As the body of an update would be, but that errors are of the patch: of a strategic one alone, else of what it made. */
export function decodePatched(
  registry: Registry,
  request: WriteRequest,
  patched: unknown,
  current: AnyObject,
  strategic?: unknown,
  expected = expectedOf(registry.resource),
): AnyObject {
  const { schema } = registry
  const { error, unknownFields } = schema.conform(expected.model, patched)
  const refused = (message: string) => (strategic === undefined ? patchedInvalid(patched, message) : strategicPatchInvalid(strategic, message))
  if (error) throw refused(error)
  if (unknownFields.length > 0 && request.fieldValidation === 'Strict') throw refused(strictError(unknownFields))
  const draft = decodeObject(patched, expected, schema, request)
  const { name } = draft.metadata
  if (name !== undefined && name !== current.metadata.name)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${current.metadata.name})`)
  return draft
}

async function applyObject(registry: Registry, request: WriteRequest, { namespace, name, force }: PatchAt, patch: unknown): Promise<Changed> {
  const applied = decodeApplied(registry, request, patch)
  if ((patch as Partial<AnyObject>).kind === undefined || (patch as Partial<AnyObject>).apiVersion === undefined)
    throw badRequest("error decoding YAML: Object 'Kind' is missing")
  if (applied.metadata.managedFields?.length) throw badRequest('metadata.managedFields must be nil')
  if (applied.metadata.name === undefined) applied.metadata.name = name
  if (applied.metadata.name !== name) throw badRequest(`the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`)
  if (registry.resource.namespaced && applied.metadata.namespace === undefined) applied.metadata.namespace = namespace
  return changeObject(registry, request, {
    namespace,
    name,
    createsMissing: request.subresource === '',
    tracked: true,
    draft: (current) => cloneJson(applyFields(registry, request, current, applied, force)),
  })
}

/** What has unknown fields or wrong types is left as it came: the merge says what is wrong with it, in words of its own. */
function decodeApplied(registry: Registry, request: WriteRequest, patch: unknown): AnyObject {
  const expected = expectedOf(registry.resource)
  const { kind, apiVersion, metadata } = (patch ?? {}) as Partial<AnyObject>
  if (kind === expected.kind && apiVersion === expected.apiVersion && isObject(metadata)) {
    const { error, unknownFields } = registry.schema.conform(expected.model, patch)
    if (!error && unknownFields.length > 0) return { ...(patch as AnyObject), metadata: { ...metadata } }
    if (error && typedErrors(registry.schema.model(expected.model), patch).length > 0) return { ...(patch as AnyObject), metadata: { ...metadata } }
  }
  return decodeObject(patch, expected, registry.schema, request)
}
