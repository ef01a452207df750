/**
 * What befalls the machines of a cluster is asked of its server under `/skiff/nodes`: it is nothing of Kubernetes, so
 * it is no resource; RBAC guards it like every path (the administrator may).
 *
 * `GET /skiff/nodes` lists; `POST /skiff/nodes/NAME/create|remove|start|stop|kill|partition|heal` does that.
 */
import type { RequestContext, RequestHandler, ServerPartFactory } from '../../apiserver/contracts.ts'
import type { ApiResponse } from '../../apiserver/request.ts'
import { badRequest, noSuchPath } from '../../machinery/errors.ts'
import { UserError } from '../user-error.ts'
import type { LocalNodeState } from './local-node.ts'
import type { LocalNodes } from './local-nodes.ts'

export const nodeActions = ['start', 'stop', 'kill', 'partition', 'heal', 'create', 'remove'] as const
export type NodeAction = (typeof nodeActions)[number]
export const nodesPath = '/skiff/nodes'

export interface NodeList {
  /** The node that runs inside the server. */
  first: string
  items: LocalNodeState[]
}

/** The nodes come after the server that this is a part of: it asks for them when it is asked. */
export const nodeControl =
  (first: string, nodes: () => LocalNodes | undefined): ServerPartFactory =>
  () => ({ name: 'node-control', handlers: [handler(first, nodes)] })

function handler(first: string, nodes: () => LocalNodes | undefined): RequestHandler {
  return {
    name: 'node-control',
    paths: [`${nodesPath}/*`],
    async handle({ request, info }: RequestContext): Promise<ApiResponse> {
      const local = nodes()
      if (!local) throw badRequest('the cluster is still starting: try again')
      const [name, action, ...rest] = info.path.slice(nodesPath.length).split('/').filter(Boolean).map(decodeURIComponent)
      if (name === undefined && request.method === 'GET') return answer({ first, items: await local.list() } satisfies NodeList)
      const known = nodeActions.find((one) => one === action)
      if (name === undefined || known === undefined || rest.length > 0 || request.method !== 'POST') throw noSuchPath()
      if (name === first) throw badRequest(`${first} runs inside the server, and goes with it: choose another node`)
      // Who removes by name means one that is there; the autoscaler may ask twice.
      if (known === 'remove' && !(await local.find(name))) throw badRequest(`there is no node '${name}': 'skiff node ls' lists them`)
      try {
        await (known === 'create' ? local.create({ name }) : local[known](name))
        return answer((await local.find(name)) ?? {})
      } catch (error) {
        throw error instanceof UserError ? badRequest(error.message) : error
      }
    },
  }
}

const answer = (object: unknown): ApiResponse => ({ kind: 'object', status: 200, object })
