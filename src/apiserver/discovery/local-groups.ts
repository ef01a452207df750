/**
 * An APIService for each group and version that this server serves itself, kept up with what it serves: those of the
 * built-in groups from the start, those of custom resources as they come and go.
 */
import { timestamp } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1APIService } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess, ServerPart, ServerPartFactory } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'
import { priorityOf } from './group-priorities.ts'

const own = 'apiregistration.k8s.io'
const at = { group: own, version: 'v1', plural: 'apiservices' }
const managedLabel = 'kube-aggregator.kubernetes.io/automanaged'

interface Local {
  name: string
  group: string
  version: string
}

export const localGroups: ServerPartFactory = (server): ServerPart => {
  let work = Promise.resolve()
  let unfollow = () => {}
  let stopped = false
  const settle = () => {
    work = work
      .then(() => (stopped ? undefined : reconcile(server)))
      .catch((error) => {
        server.log('warn', 'the list of served groups could not be brought up to date', { error: error instanceof Error ? error.message : String(error) })
      })
    return work
  }
  return {
    name: 'local groups',
    hooks: { [`apiservices.${own}`]: { beforeCreate: (draft) => markLocal(server, draft) } },
    start() {
      unfollow = server.resources.onChange(() => void settle())
      return settle()
    },
    async stop() {
      stopped = true
      unfollow()
      await work
    },
  }
}

function servedGroups(server: ServerAccess): Map<string, Local> {
  const found = new Map<string, Local>()
  for (const { group, version } of server.resources.all()) if (group !== own) found.set(`${version}.${group}`, { name: `${version}.${group}`, group, version })
  return found
}

async function reconcile(server: ServerAccess): Promise<void> {
  const services = await server.cached(`apiservices.${own}`)
  const served = servedGroups(server)
  const missing = [...served.values()].filter((local) => !services.get('', local.name))
  const superfluous = [...services.list()].map((object) => object as unknown as V1APIService).filter((one) => isOfOurs(one) && !served.has(one.metadata.name))
  await Promise.all([
    ...missing.map((local) => ignoringRaces(() => create(server, local))),
    ...superfluous.map(({ metadata }) => ignoringRaces(() => internalRequest(server, 'DELETE', pathOf(at, '', metadata.name)))),
  ])
}

const isOfOurs = ({ metadata, spec }: V1APIService) => !spec?.service && metadata.labels?.[managedLabel] !== undefined

function create(server: ServerAccess, { name, group, version }: Local): Promise<unknown> {
  const { groupPriorityMinimum, versionPriority, custom } = priorityOf(group, version)
  return internalRequest(server, 'POST', pathOf(at), {
    apiVersion: `${own}/v1`,
    kind: 'APIService',
    metadata: { name, labels: { [managedLabel]: custom ? 'true' : 'onstart' } },
    spec: { ...(group ? { group } : {}), version, groupPriorityMinimum, versionPriority },
  })
}

/** What no service stands behind is served here, or nowhere: nothing has to be tried. */
function markLocal(server: ServerAccess, draft: AnyObject): undefined {
  if ((draft as unknown as V1APIService).spec?.service) return
  const condition = {
    type: 'Available',
    status: 'True',
    reason: 'Local',
    message: 'Local APIServices are always available',
    lastTransitionTime: timestamp(server.clock.now()),
  }
  draft.status = { conditions: [condition] }
}

/** Another server of the cluster keeps the same list. */
async function ignoringRaces(step: () => Promise<unknown>): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error
  }
}
