/**
 * Brings the default roles and bindings to what they should be at each start. What somebody added stays; what is
 * missing is put back; objects whose autoupdate annotation is `"false"` are left alone.
 */
import { isDeepStrictEqual } from 'node:util'
import { isApiError } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1PolicyRule } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess } from '../contracts.ts'
import { internalRequest, pathOf } from '../internal-request.ts'
import { autoUpdate, defaultClusterRoleBindings, defaultClusterRoles, defaultRoleBindings, defaultRoles } from './default-roles/objects.ts'
import { ruleIsCovered } from './rule-cover.ts'

type Wanted = { metadata: { name?: string; namespace?: string }; rules?: V1PolicyRule[]; subjects?: unknown[]; roleRef?: unknown }

/** What to store: undefined when it is as it should be already. */
function reconciled(wanted: Wanted, stored: AnyObject): AnyObject | 'recreate' | undefined {
  if (stored.metadata.annotations?.[autoUpdate] === 'false') return undefined
  // A binding's role cannot be changed in place.
  if (wanted.roleRef && !isDeepStrictEqual(wanted.roleRef, stored.roleRef)) return 'recreate'
  const metadata = wanted.metadata as AnyObject['metadata']
  const next: AnyObject = {
    ...stored,
    metadata: {
      ...stored.metadata,
      labels: { ...metadata.labels, ...stored.metadata.labels },
      annotations: { ...metadata.annotations, ...stored.metadata.annotations },
    },
  }
  if (wanted.rules && !('aggregationRule' in wanted)) {
    const rules = (stored.rules as V1PolicyRule[] | undefined) ?? []
    const missing = wanted.rules.filter((rule) => !ruleIsCovered(rule, rules))
    if (missing.length > 0) next.rules = [...rules, ...missing]
  }
  if (wanted.subjects) {
    const subjects = (stored.subjects as unknown[] | undefined) ?? []
    const missing = wanted.subjects.filter((subject) => !subjects.some((one) => isDeepStrictEqual(one, subject)))
    if (missing.length > 0) next.subjects = [...subjects, ...missing]
  }
  return isDeepStrictEqual(next, stored) ? undefined : next
}

async function reconcile(server: ServerAccess, plural: string, wanted: readonly Wanted[]): Promise<void> {
  const cached = await server.cached(`${plural}.rbac.authorization.k8s.io`)
  const at = { group: 'rbac.authorization.k8s.io', version: 'v1', plural }
  await Promise.all(
    wanted.map(async (object) => {
      const { namespace = '', name = '' } = object.metadata
      const stored = cached.get(namespace, name)
      const next = stored ? reconciled(object, stored) : 'create'
      if (next === undefined) return
      if (next === 'recreate') await internalRequest(server, 'DELETE', pathOf(at, namespace, name))
      try {
        if (typeof next === 'string') await internalRequest(server, 'POST', pathOf(at, namespace), object)
        else await internalRequest(server, 'PUT', pathOf(at, namespace, name), next)
      } catch (error) {
        // Another server of the same cluster starts at this moment and was first: it wrote the same.
        if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict')) throw error
      }
    }),
  )
}

export async function reconcileDefaultRoles(server: ServerAccess): Promise<void> {
  await Promise.all([
    reconcile(server, 'clusterroles', defaultClusterRoles() as Wanted[]),
    reconcile(server, 'clusterrolebindings', defaultClusterRoleBindings() as Wanted[]),
    reconcile(server, 'roles', defaultRoles() as Wanted[]),
    reconcile(server, 'rolebindings', defaultRoleBindings() as Wanted[]),
  ])
}
