/** Decodes the body of a request: JSON or YAML, into an object of the caller's own. */
import { parse as parseYaml } from 'yaml'
import { badRequest, unsupportedMediaType } from '../../machinery/errors.ts'
import type { ApiRequest } from '../request.ts'
import { cloneJson } from './clone-json.ts'

const decoder = new TextDecoder()
const accepted = ['application/json', 'application/yaml']

export const mediaType = (request: ApiRequest): string => {
  const type = request.headers['content-type']
  if (!type) return ''
  const end = type.indexOf(';')
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase()
}

/** Undefined when there is no body. */
export async function readBody(request: ApiRequest): Promise<unknown> {
  if (request.object !== undefined) return cloneJson(request.object)
  const bytes = await request.readBody?.()
  if (!bytes || bytes.byteLength === 0) return undefined
  switch (mediaType(request)) {
    case '':
    case 'application/json':
      return parseJson(bytes)
    case 'application/yaml':
    case 'text/yaml':
    case 'application/x-yaml':
      return parseYamlText(bytes)
    default:
      throw unsupportedMediaType(accepted)
  }
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
    return parseYaml(decoder.decode(bytes), { merge: true })
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message}`)
  }
}
