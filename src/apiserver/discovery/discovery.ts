/** `/api` and `/apis` with what lies below them that is not a resource. */
import { noSuchPath } from '../../machinery/errors.ts'
import type { RequestContext, RequestHandler, ServerPart, ServerPartFactory } from '../contracts.ts'
import { hostOf } from '../host.ts'
import type { ApiResponse } from '../request.ts'
import { aggregated, aggregatedContentType, aggregatedVersion } from './aggregated.ts'
import { coreVersions, groupDocument, groupList, resourceList } from './plain.ts'
import { answer, type TaggedDocument, TaggedDocuments, tagged } from './tagged.ts'

const json = 'application/json'

export const discovery: ServerPartFactory = (server): ServerPart => {
  const documents = new TaggedDocuments(() => server.resources.generation + server.foreign.generation)
  const plain = (name: string, make: () => unknown) =>
    documents.get(name, (): TaggedDocument | undefined => {
      const document = make()
      return document === undefined ? undefined : tagged(json, document)
    })

  function find({ request }: RequestContext): TaggedDocument | undefined {
    const [root, group, version, ...rest] = request.path.split('/').filter((part) => part !== '')
    const all = () => server.resources.all()
    const foreign = () => server.foreign.groupVersions()
    if (rest.length > 0) return undefined
    if (group === undefined) {
      const asked = aggregatedVersion(request.headers.accept)
      const of = root === 'api' ? 'core' : 'groups'
      if (asked) return documents.get(`${of} ${asked}`, () => tagged(aggregatedContentType(asked), aggregated(all(), of, asked, foreign())))
      const host = hostOf(request) ?? 'localhost'
      return root === 'api' ? plain(`api ${host}`, () => coreVersions(host)) : plain('apis', () => groupList(all(), foreign()))
    }
    if (root === 'api') return version === undefined ? plain(`/${group}`, () => resourceList(all(), '', group)) : undefined
    if (version === undefined) return plain(group, () => groupDocument(all(), group, foreign()))
    return plain(`${group}/${version}`, () => resourceList(all(), group, version))
  }

  const handler: RequestHandler = {
    name: 'discovery',
    paths: ['/api/*', '/apis/*'],
    async handle(context): Promise<ApiResponse> {
      const found = find(context)
      if (!found) throw noSuchPath()
      return answer(context.request, found)
    },
  }
  return { name: 'discovery', handlers: [handler] }
}
