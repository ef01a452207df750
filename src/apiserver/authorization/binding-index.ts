/** Role bindings by the subjects they name, so that a decision looks at those of the caller and no others. */

import type { AnyObject } from '../../machinery/object.ts'
import type { RbacV1Subject, V1RoleRef } from '../../machinery/schema/generated/types.ts'
import { serviceAccountUser } from '../authentication/service-account-claims.ts'
import type { CachedObjects } from '../contracts.ts'
import type { UserInfo } from '../request.ts'

export interface Binding {
  name: string
  /** '' for a cluster role binding. */
  namespace: string
  roleRef: V1RoleRef
}

function subjectKey(subject: RbacV1Subject, namespace: string): string {
  if (subject.kind === 'Group') return `group ${subject.name}`
  if (subject.kind === 'ServiceAccount') return `user ${serviceAccountUser(subject.namespace || namespace, subject.name)}`
  return `user ${subject.name}`
}

export class BindingIndex {
  /** By namespace ('' for cluster role bindings), then by subject, then by the binding's name. */
  readonly #found = new Map<string, Map<string, Map<string, Binding>>>()

  /** Follows these bindings. Returns what ends it. */
  follow(bindings: CachedObjects): () => void {
    for (const binding of bindings.list()) this.#add(binding)
    return bindings.onChange(({ object, previous }) => {
      if (previous) this.#remove(previous)
      if (object) this.#add(object)
    })
  }

  /** The bindings of a namespace ('' for the cluster's) that name the user or a group of theirs. */
  *of(user: UserInfo, namespace: string): Generator<Binding> {
    const here = this.#found.get(namespace)
    if (!here) return
    yield* here.get(`user ${user.name}`)?.values() ?? []
    for (const group of user.groups) yield* here.get(`group ${group}`)?.values() ?? []
  }

  #keys(binding: AnyObject): string[] {
    const subjects = (binding.subjects as RbacV1Subject[] | undefined) ?? []
    return subjects.map((subject) => subjectKey(subject, binding.metadata.namespace ?? ''))
  }

  #add(object: AnyObject): void {
    const { name, namespace = '' } = object.metadata
    const here = this.#found.get(namespace) ?? new Map<string, Map<string, Binding>>()
    this.#found.set(namespace, here)
    for (const key of this.#keys(object)) {
      const bindings = here.get(key) ?? new Map<string, Binding>()
      here.set(key, bindings.set(name, { name, namespace, roleRef: object.roleRef as V1RoleRef }))
    }
  }

  #remove(object: AnyObject): void {
    const { name, namespace = '' } = object.metadata
    const here = this.#found.get(namespace)
    if (!here) return
    for (const key of this.#keys(object)) {
      const bindings = here.get(key)
      bindings?.delete(name)
      if (bindings?.size === 0) here.delete(key)
    }
    if (here.size === 0) this.#found.delete(namespace)
  }
}
