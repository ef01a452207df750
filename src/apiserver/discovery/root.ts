/** `/`: every path that is served and is not below a version of a group. */
import type { RequestHandler, ServerAccess } from '../contracts.ts'
import { groupVersions } from './group-order.ts'

/** `fixed` are the paths of the handlers, `checks` the names of the health checks, which have a path each. */
export const rootHandler = (server: ServerAccess, fixed: () => readonly string[], checks: () => readonly string[]): RequestHandler => ({
  name: 'root',
  paths: ['/'],
  async handle() {
    const paths = new Set(fixed().filter((path) => path !== '/'))
    for (const { group, versions } of groupVersions(server.resources.all()))
      for (const { version } of versions) {
        if (group) paths.add(`/apis/${group}`)
        paths.add(group ? `/apis/${group}/${version}` : `/api/${version}`)
      }
    for (const { group, version } of server.foreign.groupVersions()) paths.add(`/apis/${group}`).add(`/apis/${group}/${version}`)
    for (const endpoint of ['/healthz', '/livez', '/readyz']) for (const check of checks()) paths.add(`${endpoint}/${check}`)
    return { kind: 'object', status: 200, object: { paths: [...paths].sort() } }
  },
})
