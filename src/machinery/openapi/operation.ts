import type { GroupVersionKind } from './described-resource.ts'
import { type Dialect, type Json, refTo } from './dialect.ts'
import { type Parameter, parameterOf } from './parameters.ts'
import { patchDefinition } from './special-definitions.ts'

export interface OperationSpec {
  id: string
  tag: string
  description: string
  action?: string
  kind?: GroupVersionKind
  parameters?: readonly Parameter[]
  /** Schema of the request's body. */
  request?: Json
  /** The request's body is a patch; strategic ones are for types that the server was built with. */
  patches?: 'all' | 'not strategic'
  /** HTTP status codes of success. */
  answers: readonly number[]
  /** Schema of the answer. */
  body?: Json
  /** The answer is plain text. */
  text?: boolean
  /** The answer may be a watch. */
  streams?: boolean
}

const mediaTypes = ['application/json', 'application/yaml']
const strategic = 'application/strategic-merge-patch+json'
const patchTypes = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json', strategic]
const texts: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' }

export function operation(dialect: Dialect, spec: OperationSpec): Json {
  const parameters = (spec.parameters ?? []).map((one) => parameterOf(dialect, one))
  const types = spec.streams ? [...mediaTypes, 'application/json;stream=watch'] : mediaTypes
  const schema = spec.text ? { type: 'string' } : spec.body
  const requestSchema = spec.patches ? refTo(dialect, patchDefinition) : spec.request
  const bodyTypes = spec.patches ? patchTypes.filter((type) => spec.patches === 'all' || type !== strategic) : ['*/*']
  const needed = spec.action !== 'delete' && spec.action !== 'deletecollection'
  const made: Json = { description: spec.description, operationId: spec.id, tags: [spec.tag] }
  if (dialect.version === 3) {
    const content = (names: readonly string[], one: Json) => Object.fromEntries(names.map((name) => [name, { schema: one }]))
    if (requestSchema) made.requestBody = { content: content(bodyTypes, requestSchema), ...(needed ? { required: true } : {}) }
    const answer = (code: number) => ({
      description: texts[code] ?? '',
      ...(schema ? { content: content(spec.text && spec.action === 'connect' ? ['*/*'] : types, schema) } : {}),
    })
    made.responses = Object.fromEntries([...spec.answers.map((code) => [code, answer(code)]), [401, { description: texts[401] }]])
  } else {
    if (requestSchema) parameters.unshift({ in: 'body', name: 'body', ...(needed ? { required: true } : {}), schema: requestSchema })
    made.consumes = bodyTypes
    made.produces = types
    made.schemes = ['https']
    made.responses = Object.fromEntries([
      ...spec.answers.map((code) => [code, { description: texts[code], ...(schema ? { schema } : {}) }]),
      [401, { description: texts[401] }],
    ])
  }
  if (parameters.length) made.parameters = parameters
  if (spec.action) made['x-kubernetes-action'] = spec.action
  if (spec.kind) made['x-kubernetes-group-version-kind'] = spec.kind
  return made
}
