/** Decodes the body of a request: JSON, YAML or protobuf, into an object of the caller's own. */
import { parse as parseYaml } from 'yaml'
import { badRequest, unsupportedMediaType } from '../../machinery/errors.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import type { ApiRequest } from '../request.ts'
import { cloneJson } from './clone-json.ts'
import { duplicateFields } from './duplicate-fields.ts'
import { duplicateKeys } from './duplicate-keys.ts'
import { decodeProtobuf, protobufMediaType } from './protobuf/protobuf-body.ts'

const decoder = new TextDecoder()
const accepted = ['application/json', 'application/yaml', protobufMediaType]

export const mediaType = (request: ApiRequest): string => {
  const type = request.headers['content-type']
  if (!type) return ''
  const end = type.indexOf(';')
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase()
}

/** Decodes bodies; protobuf with what the schema says of the kind that the body names. */
export class BodyDecoder {
  readonly #schema: Schema
  readonly #duplicates = new WeakMap<object, string[]>()

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** Undefined when there is no body. */
  async read(request: ApiRequest): Promise<unknown> {
    if (request.object !== undefined) return cloneJson(request.object)
    const bytes = await request.readBody?.()
    if (!bytes || bytes.byteLength === 0) return undefined
    switch (mediaType(request)) {
      case '':
      case 'application/json':
        return this.#json(request, bytes)
      case 'application/yaml':
      case 'text/yaml':
      case 'application/x-yaml':
        return this.#noting(request, parseYamlText(bytes), () => yamlComplaints(bytes))
      case protobufMediaType:
        return decodeProtobuf(bytes, this.#schema, (apiVersion, kind) => this.#modelOf(apiVersion, kind))
      default:
        throw unsupportedMediaType(accepted)
    }
  }

  #json(request: ApiRequest, bytes: Uint8Array): unknown {
    return this.#noting(request, parseJson(bytes), () => jsonComplaints(bytes))
  }

  #noting(request: ApiRequest, value: unknown, complaints: () => string[]): unknown {
    if (request.query.get('fieldValidation') === 'Ignore' || typeof value !== 'object' || value === null) return value
    const found = complaints()
    if (found.length > 0) this.#duplicates.set(value, found)
    return value
  }

  /** What is to be said of fields that stood twice in a body that was read. */
  duplicatesOf(body: unknown): readonly string[] {
    return (typeof body === 'object' && body !== null && this.#duplicates.get(body)) || []
  }

  #modelOf(apiVersion: string, kind: string): string | undefined {
    // Options are sent as a kind of whichever group they are for.
    if (kind === 'DeleteOptions') return this.#schema.modelOf('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
    const slash = apiVersion.indexOf('/')
    const group = slash < 0 ? 'core' : (apiVersion.split('.')[0]?.split('/')[0] ?? '')
    return this.#schema.modelOf(`io.k8s.api.${group}.${apiVersion.slice(slash + 1)}.${kind}`)
  }
}

/** In the words of upstream's strict decoder; empty when no field stands twice. */
export const jsonComplaints = (bytes: Uint8Array): string[] => duplicateFields(decoder.decode(bytes)).map((field) => `duplicate field ${JSON.stringify(field)}`)

export function yamlComplaints(bytes: Uint8Array): string[] {
  const complaint = duplicateKeys(decoder.decode(bytes))
  return complaint === undefined ? [] : [complaint]
}

export function parseJson(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
}

export function parseYamlText(bytes: Uint8Array): unknown {
  try {
    return parseYaml(decoder.decode(bytes), { merge: true, uniqueKeys: false })
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message}`)
  }
}
