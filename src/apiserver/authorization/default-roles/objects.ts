/** The default roles and bindings as the objects they become. */

import type { New } from '../../../machinery/object.ts'
import type { V1ClusterRole, V1ClusterRoleBinding, V1ObjectMeta, V1Role, V1RoleBinding } from '../../../machinery/schema/generated/types.ts'
import { controllerRoles } from './controller-roles.ts'
import { namespacedBindings, namespacedRoles } from './namespaced-roles.ts'
import { rule } from './rule-line.ts'
import { type DefaultBinding, systemBindings, systemRoles } from './system-roles.ts'
import { aggregatedRoles, aggregateTo, gatheredRoles } from './user-roles.ts'

const rbac = 'rbac.authorization.k8s.io'
const apiVersion = `${rbac}/v1`

/** Objects with this annotation at `"true"` are brought back to what they should be at each start. */
export const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate'

const metadata = (name: string, more: { namespace?: string; labels?: Record<string, string> } = {}): V1ObjectMeta => ({
  name,
  ...(more.namespace ? { namespace: more.namespace } : {}),
  annotations: { [autoUpdate]: 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...more.labels },
})

const clusterRole = (name: string, rules: string[], labels?: Record<string, string>): New<V1ClusterRole> => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadata(name, labels ? { labels } : {}),
  rules: rules.map(rule),
})

function subjects({ groups = [], users = [], serviceAccounts = [] }: DefaultBinding) {
  return [
    ...groups.map((name) => ({ kind: 'Group', apiGroup: rbac, name })),
    ...users.map((name) => ({ kind: 'User', apiGroup: rbac, name })),
    ...serviceAccounts.map((one) => ({ kind: 'ServiceAccount', namespace: one.split('/')[0] ?? '', name: one.split('/')[1] ?? '' })),
  ]
}

const clusterBinding = (name: string, binding: DefaultBinding): New<V1ClusterRoleBinding> => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: binding.role },
  subjects: subjects(binding),
})

export function defaultClusterRoles(): New<V1ClusterRole>[] {
  return [
    ...Object.entries(systemRoles).map(([name, rules]) => clusterRole(name, rules)),
    ...Object.entries(gatheredRoles).map(([name, { into, rules }]) => clusterRole(name, rules, { [aggregateTo(into)]: 'true' })),
    ...Object.entries(aggregatedRoles).map(([name, { gathers, labels }]) => ({
      ...clusterRole(name, [], labels),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregateTo(gathers)]: 'true' } }] },
    })),
    ...Object.entries(controllerRoles).map(([name, rules]) => clusterRole(`system:controller:${name}`, rules)),
  ]
}

/**
 * Controllers that run in one process share the controller manager's user; those that run with an account of their
 * own have its rights alone. Upstream binds the accounts only, and leaves the rest to who runs it otherwise.
 */
const sharedControllerUser = 'system:kube-controller-manager'

export function defaultClusterRoleBindings(): New<V1ClusterRoleBinding>[] {
  const controllers = Object.keys(controllerRoles).map((name) =>
    clusterBinding(`system:controller:${name}`, { role: `system:controller:${name}`, users: [sharedControllerUser], serviceAccounts: [`kube-system/${name}`] }),
  )
  return [...Object.entries(systemBindings).map(([name, binding]) => clusterBinding(name, binding)), ...controllers]
}

export function defaultRoles(): New<V1Role>[] {
  return Object.entries(namespacedRoles).flatMap(([namespace, roles]) =>
    Object.entries(roles).map(([name, rules]) => ({ apiVersion, kind: 'Role', metadata: metadata(name, { namespace }), rules: rules.map(rule) })),
  )
}

export function defaultRoleBindings(): New<V1RoleBinding>[] {
  return Object.entries(namespacedBindings).flatMap(([namespace, bindings]) =>
    Object.entries(bindings).map(([name, binding]) => ({
      apiVersion,
      kind: 'RoleBinding',
      metadata: metadata(name, { namespace }),
      roleRef: { apiGroup: rbac, kind: 'Role', name: binding.role },
      subjects: subjects(binding),
    })),
  )
}
