/** Keeps the rules of gathering ClusterRoles: those of all roles that their selectors match, in order of name. */
import { isDeepStrictEqual } from 'node:util'
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1ClusterRole, V1LabelSelector, V1PolicyRule } from '../../machinery/schema/generated/types.ts'
import type { CachedObjects, ServerAccess } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'

function matches(selector: V1LabelSelector, labels: Record<string, string> = {}): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  const expressions = (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    return operator === 'In' ? value !== undefined && values.includes(value) : value === undefined || !values.includes(value)
  })
  return equal && expressions
}

const aggregationOf = (role: AnyObject) => (role as unknown as V1ClusterRole).aggregationRule

export function gatheredRules(role: AnyObject, all: Iterable<AnyObject>): V1PolicyRule[] {
  const rules: V1PolicyRule[] = []
  const seen = new Set<string>()
  const selectors = aggregationOf(role)?.clusterRoleSelectors ?? []
  const sources = [...all].filter((one) => one.metadata.name !== role.metadata.name && selectors.some((selector) => matches(selector, one.metadata.labels)))
  for (const source of sources.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)))
    for (const rule of (source.rules as V1PolicyRule[] | null | undefined) ?? []) {
      const text = JSON.stringify(rule)
      if (!seen.has(text)) rules.push(rule)
      seen.add(text)
    }
  return rules
}

const at = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' }

/** Settles every gathering role; again while one of them feeds another. */
export async function aggregateClusterRoles(server: ServerAccess, clusterRoles: CachedObjects): Promise<void> {
  for (let changed = true; changed; ) {
    changed = false
    for (const role of [...clusterRoles.list()]) {
      if (!aggregationOf(role)) continue
      const rules = gatheredRules(role, clusterRoles.list())
      if (isDeepStrictEqual(rules, role.rules ?? [])) continue
      changed = true
      try {
        await internalRequest(server, 'PUT', pathOf(at, '', role.metadata.name), { ...role, rules })
      } catch (error) {
        // Changed or deleted meanwhile: the next round sees it as it is.
        if (!isApiError(error, 'Conflict') && !isApiError(error, 'NotFound')) throw error
      }
    }
  }
}

/** Settles after each change of a ClusterRole, one round at a time. Returns what ends it. */
export function followClusterRoles(server: ServerAccess, clusterRoles: CachedObjects): () => void {
  let wanted = false
  let running = false
  async function run(): Promise<void> {
    if (running) return
    running = true
    while (wanted) {
      wanted = false
      await aggregateClusterRoles(server, clusterRoles).catch((error: unknown) =>
        server.log('error', 'could not gather the rules of a ClusterRole', { error: String(error) }),
      )
    }
    running = false
  }
  return clusterRoles.onChange(() => {
    wanted = true
    queueMicrotask(() => void run())
  })
}
