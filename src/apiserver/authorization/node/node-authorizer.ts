/**
 * What kubelets may do: the rules of the role `system:node`, narrowed to their own Node, Lease and pods, and to what
 * those pods refer to. Whom it does not allow, RBAC may still.
 */
import { parseFieldSelector } from '../../../machinery/field-selectors.ts'
import { SelectorError } from '../../../machinery/selectors.ts'
import type { AuthorizationAttributes, Authorizer, Decision } from '../../contracts.ts'
import type { RequestInfo } from '../../request.ts'
import { rule } from '../default-roles/rule-line.ts'
import { systemRoles } from '../default-roles/system-roles.ts'
import { covers } from '../rule.ts'
import type { NodeGraph } from './node-graph.ts'

const allowed: Decision = { decision: 'allowed', reason: '' }
const noOpinion = (reason: string): Decision => ({ decision: 'noOpinion', reason })
const nodeRules = (systemRoles['system:node'] ?? []).map(rule)
const prefix = 'system:node:'

export function nodeAuthorizer(graphOf: () => NodeGraph | Promise<NodeGraph>): Authorizer {
  return {
    name: 'Node',
    authorize({ user, info }: AuthorizationAttributes) {
      if (!user.groups.includes('system:nodes') || !user.name.startsWith(prefix)) return noOpinion('')
      const node = user.name.slice(prefix.length)
      if (!node) return noOpinion(`unknown node for user ${JSON.stringify(user.name)}`)
      const graph = graphOf()
      return graph instanceof Promise ? graph.then((one) => judge(node, info, one)) : judge(node, info, graph)
    },
  }
}

function judge(node: string, info: RequestInfo, graph: NodeGraph): Decision {
  const related = () =>
    graph.relates(node, info.resource, info.namespace, info.name) ? allowed : noOpinion(`no relationship found between node '${node}' and this object`)
  const byRules = () => (nodeRules.some((one) => covers(one, info)) ? allowed : noOpinion(''))
  if (!info.isResourceRequest) return byRules()
  switch (info.group ? `${info.resource}.${info.group}` : info.resource) {
    case 'secrets':
    case 'configmaps':
      if (!['get', 'list', 'watch'].includes(info.verb)) return noOpinion('can only read resources of this type')
      if (info.subresource) return noOpinion('cannot read subresource')
      if (!info.namespace) return noOpinion('can only read namespaced object of this type')
      return info.name ? related() : noOpinion('No Object name found')
    case 'persistentvolumeclaims':
      if (info.subresource === 'status' && ['get', 'update', 'patch'].includes(info.verb)) return related()
      return individually(info, related)
    case 'persistentvolumes':
    case 'volumeattachments.storage.k8s.io':
    case 'resourceclaims.resource.k8s.io':
      return individually(info, related)
    case 'serviceaccounts':
      if (info.subresource === 'token') {
        if (info.verb !== 'create') return noOpinion('can only create tokens for this type')
        return info.name ? related() : noOpinion('No Object name found')
      }
      return individually(info, related)
    case 'pods':
      return pods(node, info, related, byRules)
    case 'nodes':
      return nodes(node, info, byRules)
    case 'leases.coordination.k8s.io':
      if (!['get', 'create', 'update', 'patch', 'delete'].includes(info.verb)) return noOpinion('can only get, create, update, patch, or delete a node lease')
      if (info.namespace !== 'kube-node-lease') return noOpinion(`can only access leases in the "kube-node-lease" system namespace`)
      return info.verb === 'create' || info.name === node ? allowed : noOpinion('can only access node lease with the same name as the requesting node')
    case 'csinodes.storage.k8s.io':
      if (info.subresource) return noOpinion('cannot authorize CSINode subresources')
      if (!['get', 'create', 'update', 'patch', 'delete'].includes(info.verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode')
      return info.verb === 'create' || info.name === node ? allowed : noOpinion('can only access CSINode with the same name as the requesting node')
    case 'resourceslices.resource.k8s.io':
      return slices(node, info, related)
    default:
      return byRules()
  }
}

function slices(node: string, info: RequestInfo, related: () => Decision): Decision {
  if (info.subresource) return noOpinion('cannot authorize ResourceSlice subresources')
  switch (info.verb) {
    case 'create':
      // Admission looks at whose it is.
      return allowed
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related()
    case 'list':
    case 'watch':
    case 'deletecollection':
      return selected(info, 'spec.nodeName') === node ? allowed : noOpinion(`can only ${info.verb} resourceslices with spec.nodeName field selector`)
    default:
      return noOpinion('only the following verbs are allowed for a ResourceSlice: create, get, update, patch, delete, list, watch, deletecollection')
  }
}

function individually(info: RequestInfo, related: () => Decision): Decision {
  if (info.verb !== 'get') return noOpinion('can only get individual resources of this type')
  if (info.subresource) return noOpinion('cannot get subresource')
  return info.name ? related() : noOpinion('No Object name found')
}

function pods(node: string, info: RequestInfo, related: () => Decision, byRules: () => Decision): Decision {
  const { verb, subresource } = info
  if (subresource === '' && (verb === 'list' || verb === 'watch')) {
    if (selected(info, 'spec.nodeName') === node) return allowed
    return info.name && related().decision === 'allowed' ? allowed : noOpinion('can only list/watch pods with spec.nodeName field selector')
  }
  // A pod that is made is looked at by admission: only mirror pods of its own.
  if (verb === 'create' && subresource === '') return byRules()
  const decision = byRules()
  return decision.decision === 'allowed' ? related() : decision
}

function nodes(node: string, info: RequestInfo, byRules: () => Decision): Decision {
  const decision = byRules()
  if (decision.decision !== 'allowed') return decision
  if (info.verb === 'create' && !info.name) return allowed
  if (info.name === node) return allowed
  const reads = ['get', 'list', 'watch'].includes(info.verb)
  return noOpinion(`node '${node}' cannot ${reads ? 'read' : 'modify'} ${info.name ? `'${info.name}'` : 'all nodes'}, only its own Node object`)
}

/** The value that the field selector of a list or watch asks for. */
function selected(info: RequestInfo, field: string): string | undefined {
  try {
    return parseFieldSelector(info.fieldSelector ?? '').requires(field)
  } catch (error) {
    // The registry will refuse it.
    if (error instanceof SelectorError) return undefined
    throw error
  }
}
