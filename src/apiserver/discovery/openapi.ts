/**
 * `/openapi/v2` and `/openapi/v3`. The documents come from the schema; they are large, so each is made when it
 * is first asked for.
 */

import type { Resource } from '../../apis/resource.ts'
import { noSuchPath, notAcceptable } from '../../machinery/errors.ts'
import type { RequestHandler, ServerPart, ServerPartFactory } from '../contracts.ts'
import type { ApiResponse } from '../request.ts'
import { groupVersions } from './group-order.ts'
import { encodeOpenApiV2, openApiV2Protobuf } from './openapi-protobuf.ts'
import { answer, type TaggedDocument, TaggedDocuments, tagged, taggedBody } from './tagged.ts'

/** What `machinery/openapi` makes. */
export interface OpenApiSource {
  v2(resources: readonly Resource[]): { [name: string]: unknown }
  v3(resources: readonly Resource[], group: string, version: string): unknown
  /** Changes when the documents of the same resources would be others (another schema). */
  readonly fingerprint: string
}

const json = 'application/json'
/** By its name, and by the older one that clients still ask for. */
const protobuf = /application\/com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf/

export function openApi(source: OpenApiSource): ServerPartFactory {
  return (server): ServerPart => {
    const documents = new TaggedDocuments(() => server.resources.generation + server.foreign.generation)
    const pathOf = (group: string, version: string) => (group ? `apis/${group}/${version}` : `api/${version}`)

    /** Told in the index, so that clients keep a document for as long as it stays the same. */
    const versions = () =>
      groupVersions(server.resources.all()).flatMap(({ group, versions }) =>
        versions.map(({ version, resources }) => {
          const made = tagged(json, [
            source.fingerprint,
            resources.map(({ plural, kind, fingerprint }) => [plural, kind, ...(fingerprint ? [fingerprint] : [])]),
          ])
          return { group, version, path: pathOf(group, version), hash: made.etag.slice(1, -1) }
        }),
      )

    const index = () => ({
      paths: {
        ...server.foreign.openApiPaths(),
        ...Object.fromEntries(versions().map(({ path, hash }) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }])),
      },
    })

    const v3: RequestHandler = {
      name: 'openapi-v3',
      paths: ['/openapi/v3/*'],
      async handle({ request }): Promise<ApiResponse> {
        const path = request.path.replace(/^\/openapi\/v3\/?/, '')
        if (path === '') return answer(request, documents.get('v3', () => tagged(json, index())) as TaggedDocument)
        const found = versions().find((one) => one.path === path)
        if (!found) throw noSuchPath()
        const hash = request.query.get('hash')
        if (hash && hash !== found.hash) {
          const location = `/openapi/v3/${path}?hash=${found.hash}`
          return { kind: 'bytes', status: 301, contentType: 'text/plain', bytes: '', headers: { location } }
        }
        const document = documents.get(path, () => tagged(json, source.v3(server.resources.all(), found.group, found.version))) as TaggedDocument
        return answer(request, document, hash ? { 'cache-control': 'public, immutable' } : {})
      },
    }

    const v2: RequestHandler = {
      name: 'openapi-v2',
      paths: ['/openapi/v2'],
      async handle({ request }): Promise<ApiResponse> {
        const accept = request.headers.accept ?? json
        const document = () => withForeignV2(source.v2(server.resources.all()), server.foreign.openApiV2())
        if (protobuf.test(accept)) {
          const made = documents.get('v2 protobuf', () => taggedBody(openApiV2Protobuf, encodeOpenApiV2(document())))
          return answer(request, made as TaggedDocument)
        }
        if (!/(application\/json|\*\/\*|application\/\*)/.test(accept)) throw notAcceptable([json, openApiV2Protobuf])
        return answer(request, documents.get('v2', () => tagged(json, document())) as TaggedDocument)
      },
    }
    return { name: 'openapi', handlers: [v2, v3] }
  }
}

/** Of what stands in both, this server's own is told. */
function withForeignV2(own: { [name: string]: unknown }, foreign: readonly { paths?: Record<string, unknown>; definitions?: Record<string, unknown> }[]) {
  if (foreign.length === 0) return own
  const merged = (field: 'paths' | 'definitions') => Object.assign({}, ...foreign.map((one) => one[field]), own[field])
  return { ...own, paths: merged('paths'), definitions: merged('definitions') }
}
