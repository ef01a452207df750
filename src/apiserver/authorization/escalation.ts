/**
 * Nobody gives away what they do not have: a role may hold, and a binding may give, only what its writer may do
 * already, unless the writer may `escalate` the role or `bind` it.
 */

import { isDeepStrictEqual } from 'node:util'
import { forbidden } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1PolicyRule, V1RoleRef } from '../../machinery/schema/generated/types.ts'
import { groupResource, type HookAttributes, type ResourceHooks, type ServerAccess } from '../contracts.ts'
import type { RequestInfo, UserInfo } from '../request.ts'
import { rule } from './default-roles/rule-line.ts'
import type { Rbac } from './rbac.ts'
import { ruleIsCovered } from './rule-cover.ts'

const group = 'rbac.authorization.k8s.io'
const everything = [rule('* | * | *'), rule('* | *')]

const rulesOf = (role: AnyObject) => (role.rules as V1PolicyRule[] | null | undefined) ?? []
const goStrings = (list: string[]) => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`

/** As Go prints a rule. */
function shown({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }: V1PolicyRule): string {
  const field = (name: string, values: string[] | undefined) => (values?.length ? [`${name}:[${values.map((one) => JSON.stringify(one)).join(', ')}]`] : [])
  return `{${[...field('APIGroups', apiGroups), ...field('Resources', resources), ...field('ResourceNames', resourceNames), ...field('NonResourceURLs', nonResourceURLs), ...field('Verbs', verbs)].join(', ')}}`
}

export function escalationHooks(server: ServerAccess, rbac: () => Promise<Rbac>): Record<string, ResourceHooks> {
  async function may(user: UserInfo, verb: string, resource: string, namespace: string, name: string): Promise<boolean> {
    const info: RequestInfo = { isResourceRequest: true, path: '', verb, group, version: 'v1', namespace, resource, subresource: '', name, rest: '' }
    return (await server.authorize({ user, info })).decision === 'allowed'
  }

  async function mustHold(wanted: readonly V1PolicyRule[], object: AnyObject, { user, resource }: HookAttributes): Promise<void> {
    const held = (await rbac()).rulesFor(user, object.metadata.namespace ?? '')
    const missing = wanted.filter((one) => !ruleIsCovered(one, held))
    if (missing.length === 0) return
    throw forbidden(
      { group: resource.group, resource: resource.plural, name: object.metadata.name },
      `user ${JSON.stringify(user.name)} (groups=${goStrings(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${missing.map(shown).join('\n')}`,
    )
  }

  async function role(draft: AnyObject, attributes: HookAttributes): Promise<undefined> {
    const { namespace = '', name } = draft.metadata
    if (await may(attributes.user, 'escalate', attributes.resource.plural, namespace, name)) return
    // What a gathering role will hold is not known yet.
    await mustHold(draft.aggregationRule ? everything : rulesOf(draft), draft, attributes)
  }

  async function binding(draft: AnyObject, attributes: HookAttributes): Promise<undefined> {
    const { namespace = '' } = draft.metadata
    const reference = draft.roleRef as V1RoleRef
    if (await may(attributes.user, 'bind', reference.kind === 'Role' ? 'roles' : 'clusterroles', reference.kind === 'Role' ? namespace : '', reference.name))
      return
    const rules = (await rbac()).rulesOf(reference, namespace)
    if (!rules)
      throw forbidden(
        { group: attributes.resource.group, resource: attributes.resource.plural, name: draft.metadata.name },
        `${groupResource({ group, plural: reference.kind === 'Role' ? 'roles' : 'clusterroles' })} ${JSON.stringify(reference.name)} not found`,
      )
    await mustHold(rules, draft, attributes)
  }

  const same = (a: AnyObject, b: AnyObject, fields: string[]) => fields.every((field) => isDeepStrictEqual(a[field], b[field]))
  const roles: ResourceHooks = {
    beforeCreate: role,
    beforeUpdate: async (draft, stored, attributes) => (same(draft, stored, ['rules', 'aggregationRule']) ? undefined : await role(draft, attributes)),
  }
  const bindings: ResourceHooks = {
    beforeCreate: binding,
    beforeUpdate: async (draft, stored, attributes) => (same(draft, stored, ['subjects', 'roleRef']) ? undefined : await binding(draft, attributes)),
  }
  return { [`roles.${group}`]: roles, [`clusterroles.${group}`]: roles, [`rolebindings.${group}`]: bindings, [`clusterrolebindings.${group}`]: bindings }
}
