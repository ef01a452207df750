/** Role based access control: allowed is what a role says that a binding gives the caller. Nothing is ever denied by it. */
import type { V1PolicyRule, V1RoleRef } from '../../machinery/schema/generated/types.ts'
import type { AuthorizationAttributes, Authorizer, CachedObjects, Decision } from '../contracts.ts'
import type { UserInfo } from '../request.ts'
import { BindingIndex } from './binding-index.ts'
import { covers } from './rule.ts'

export interface RbacObjects {
  roles: CachedObjects
  roleBindings: CachedObjects
  clusterRoles: CachedObjects
  clusterRoleBindings: CachedObjects
}

export class Rbac implements Authorizer {
  readonly name = 'RBAC'
  readonly #objects: RbacObjects
  readonly #bindings = new BindingIndex()
  readonly #ends: (() => void)[]

  constructor(objects: RbacObjects) {
    this.#objects = objects
    this.#ends = [this.#bindings.follow(objects.clusterRoleBindings), this.#bindings.follow(objects.roleBindings)]
  }

  authorize({ user, info }: AuthorizationAttributes): Decision {
    const missing: string[] = []
    for (const { rules, source } of this.#rules(user, info.isResourceRequest ? info.namespace : '', missing))
      for (const rule of rules) if (covers(rule, info)) return { decision: 'allowed', reason: `RBAC: allowed by ${source}` }
    return { decision: 'noOpinion', reason: missing.length > 0 ? `RBAC: ${missing.length === 1 ? missing[0] : `[${missing.join(', ')}]`}` : '' }
  }

  /** Everything the user may do in a namespace, cluster-wide rules among it. */
  rulesFor(user: UserInfo, namespace: string): V1PolicyRule[] {
    return [...this.#rules(user, namespace, [])].flatMap(({ rules }) => rules)
  }

  stop(): void {
    for (const end of this.#ends) end()
  }

  *#rules(user: UserInfo, namespace: string, missing: string[]): Generator<{ rules: readonly V1PolicyRule[]; source: string }> {
    for (const where of namespace ? ['', namespace] : [''])
      for (const binding of this.#bindings.of(user, where)) {
        const rules = this.rulesOf(binding.roleRef, binding.namespace)
        const kind = binding.namespace ? 'RoleBinding' : 'ClusterRoleBinding'
        const name = binding.namespace ? `${binding.name}/${binding.namespace}` : binding.name
        if (rules) yield { rules, source: `${kind} "${name}" of ${binding.roleRef.kind} "${binding.roleRef.name}" to ${user.name}` }
        else missing.push(`${binding.roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${binding.roleRef.name}" not found`)
      }
  }

  /** The rules of a role; undefined when there is none of that name. */
  rulesOf(reference: V1RoleRef, namespace: string): readonly V1PolicyRule[] | undefined {
    const role = reference.kind === 'Role' ? this.#objects.roles.get(namespace, reference.name) : this.#objects.clusterRoles.get('', reference.name)
    return role && ((role.rules as V1PolicyRule[] | null | undefined) ?? [])
  }
}
