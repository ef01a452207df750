/** What an object takes from a quota, by the names that quotas use. */

import type { AnyObject } from '../../machinery/object.ts'
import type { V1PersistentVolumeClaim, V1Pod, V1Service } from '../../machinery/schema/generated/types.ts'
import type { Resource } from '../resource.ts'
import { type Amounts, podUsage } from './pod-usage.ts'

const standard = new Set(['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims'])

const finished = (pod: V1Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function podAmounts(pod: V1Pod): Amounts {
  if (finished(pod) || !pod.spec) return {}
  const { requests, limits } = podUsage(pod.spec)
  const amounts: Amounts = { pods: '1' }
  for (const [name, amount] of Object.entries(requests)) {
    amounts[`requests.${name}`] = amount
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') amounts[name] = amount
  }
  for (const [name, amount] of Object.entries(limits)) amounts[`limits.${name}`] = amount
  return amounts
}

function claimAmounts({ spec }: V1PersistentVolumeClaim): Amounts {
  const storage = spec?.resources?.requests?.storage
  const amounts: Amounts = { persistentvolumeclaims: '1', ...(storage ? { 'requests.storage': storage } : {}) }
  if (!spec?.storageClassName) return amounts
  const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io`
  return { ...amounts, [`${prefix}/persistentvolumeclaims`]: '1', ...(storage ? { [`${prefix}/requests.storage`]: storage } : {}) }
}

function serviceAmounts({ spec }: V1Service): Amounts {
  const nodePorts = spec?.ports?.length ?? 0
  if (spec?.type === 'NodePort') return { services: '1', 'services.nodeports': String(nodePorts) }
  if (spec?.type === 'LoadBalancer')
    return { services: '1', 'services.loadbalancers': '1', 'services.nodeports': String(spec.allocateLoadBalancerNodePorts === false ? 0 : nodePorts) }
  return { services: '1' }
}

export function amountsOf(resource: Pick<Resource, 'group' | 'plural'>, object: AnyObject): Amounts {
  const count = { [`count/${resource.group ? `${resource.plural}.${resource.group}` : resource.plural}`]: '1' }
  if (resource.group !== '' || !standard.has(resource.plural)) return count
  if (resource.plural === 'pods') return { ...count, ...podAmounts(object as unknown as V1Pod) }
  if (resource.plural === 'persistentvolumeclaims') return { ...count, ...claimAmounts(object as unknown as V1PersistentVolumeClaim) }
  if (resource.plural === 'services') return { ...count, ...serviceAmounts(object as unknown as V1Service) }
  return { ...count, [resource.plural]: '1' }
}

const isBestEffort = (pod: V1Pod) =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].every(
    ({ resources }) => Object.keys(resources?.requests ?? {}).length === 0 && Object.keys(resources?.limits ?? {}).length === 0,
  )

interface ScopeRequirement {
  scopeName: string
  operator: string
  values?: string[]
}

function inScope(pod: V1Pod, { scopeName, operator, values = [] }: ScopeRequirement): boolean {
  switch (scopeName) {
    case 'Terminating':
      return pod.spec?.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return pod.spec?.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass': {
      const name = pod.spec?.priorityClassName ?? ''
      if (operator === 'In') return values.includes(name)
      if (operator === 'NotIn') return name !== '' && !values.includes(name)
      return operator === 'Exists' ? name !== '' : name === ''
    }
    default:
      return false
  }
}

/** A quota with scopes counts pods that are in all of them, and nothing else. */
export function scoped(plural: string, object: AnyObject, spec: { scopes?: string[]; scopeSelector?: { matchExpressions?: ScopeRequirement[] } }): boolean {
  const requirements = [...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })), ...(spec.scopeSelector?.matchExpressions ?? [])]
  return requirements.length === 0 || (plural === 'pods' && requirements.every((one) => inScope(object as unknown as V1Pod, one)))
}
