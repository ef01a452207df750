/**
 * From a decoded body to a draft of the resource: kind and version must fit the path, types the schema; unknown
 * fields are dropped, warned of, or refused, as the client asked.
 */
import type { Resource } from '../../apis/resource.ts'
import { badRequest } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { apiVersionOf } from './storage.ts'
import type { WriteRequest } from './write-request.ts'

export interface Expected {
  kind: string
  apiVersion: string
  model: string
}

export const expectedOf = (resource: Resource): Expected => ({ kind: resource.kind, apiVersion: apiVersionOf(resource), model: resource.model })

export function decodeObject(
  body: unknown,
  expected: Expected,
  schema: Schema,
  request: Pick<WriteRequest, 'fieldValidation' | 'warn' | 'duplicates'>,
): AnyObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${body === undefined ? 'no body was sent' : 'it is not an object'}`,
    )
  const given = body as Partial<AnyObject>
  if (given.apiVersion !== undefined && given.apiVersion !== '' && given.apiVersion !== expected.apiVersion)
    throw badRequest(`the API version in the data (${given.apiVersion}) does not match the expected API version (${expected.apiVersion})`)
  if (given.kind !== undefined && given.kind !== '' && given.kind !== expected.kind) throw badRequest(cannotHandle(given.kind, expected, notRegistered(given)))
  const { object, error, unknownFields } = schema.conform(expected.model, given)
  if (error) throw badRequest(cannotHandle(expected.kind, expected, error))
  const complaints = [...(request.duplicates ?? []), ...unknownFields.map(unknownField)]
  if (complaints.length > 0 && request.fieldValidation !== 'Ignore') {
    if (request.fieldValidation === 'Strict') throw badRequest(cannotHandle(expected.kind, expected, strictly(complaints.join(', '))))
    for (const complaint of complaints) request.warn(inOneLine(complaint))
  }
  const { kind: _kind, apiVersion: _version, metadata = {}, ...rest } = object as AnyObject
  return { kind: expected.kind, apiVersion: expected.apiVersion, metadata: metadata as AnyObject['metadata'], ...rest }
}

/** Upstream's types always have their spec, however empty; so rules need not ask whether there is one. */
export function ensureSpec(draft: AnyObject, model: string, schema: Schema): void {
  if (draft.spec !== undefined) return
  const struct = schema.model(model)
  if (!struct.lenient && struct.fields.get('spec')?.structure.kind === 'struct') draft.spec = {}
}

const notRegistered = ({ kind, apiVersion = '' }: Partial<AnyObject>) =>
  `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`

/** A warning is a header. */
export const inOneLine = (complaint: string): string => complaint.replaceAll(/\n\s*/g, ' ')

const unknownField = (field: string) => `unknown field ${JSON.stringify(field)}`

export const strictly = (complaint: string) => `strict decoding error: ${complaint}`

export const strictError = (unknownFields: string[]) => strictly(unknownFields.map(unknownField).join(', '))

const cannotHandle = (kind: string, { apiVersion, kind: expected }: Expected, why: string) =>
  `${kind} in version ${JSON.stringify(apiVersion.split('/').at(-1))} cannot be handled as a ${expected}: ${why}`
