/**
 * Finds who watches a change without asking everyone: a thousand kubelets each watch the pods of their own node and
 * single secrets, and the node itself, by name.
 */
import type { Resource } from '../../apis/resource.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { CacheChange } from './change.ts'
import type { Selection } from './selection.ts'

export interface Watching {
  readonly selection: Selection
  onChange(change: CacheChange): void
}

export class WatcherIndex {
  readonly #namespaced: boolean
  readonly #field: string | undefined
  readonly #valueOf: ((object: AnyObject) => string) | undefined
  readonly #byField = new Map<string, Set<Watching>>()
  readonly #byKey = new Map<string, Set<Watching>>()
  readonly #byNamespace = new Map<string, Set<Watching>>()
  readonly #rest = new Set<Watching>()

  /** `indexed`: the one field whose watchers are found by value, if the resource has it. */
  constructor({ namespaced, selectableFields: fields }: Pick<Resource, 'namespaced' | 'selectableFields'>, indexed = 'spec.nodeName') {
    this.#namespaced = namespaced
    this.#valueOf = fields[indexed]
    this.#field = this.#valueOf ? indexed : undefined
  }

  add(watching: Watching): void {
    const [map, value] = this.#place(watching.selection)
    if (!map) {
      this.#rest.add(watching)
      return
    }
    const set = map.get(value)
    if (set) set.add(watching)
    else map.set(value, new Set([watching]))
  }

  remove(watching: Watching): void {
    const [map, value] = this.#place(watching.selection)
    if (!map) {
      this.#rest.delete(watching)
      return
    }
    const set = map.get(value)
    set?.delete(watching)
    if (set?.size === 0) map.delete(value)
  }

  /** Each watching whose selection the change may concern, once. */
  deliver(change: CacheChange): void {
    for (const watching of this.#rest) watching.onChange(change)
    if (this.#byKey.size > 0) for (const watching of this.#byKey.get(change.key) ?? []) watching.onChange(change)
    const slash = change.key.indexOf('/')
    if (slash > 0 && this.#byNamespace.size > 0) for (const watching of this.#byNamespace.get(change.key.slice(0, slash)) ?? []) watching.onChange(change)
    if (!this.#valueOf || this.#byField.size === 0) return
    const now = change.object && this.#valueOf(change.object)
    const before = change.previous && this.#valueOf(change.previous)
    if (now !== undefined) for (const watching of this.#byField.get(now) ?? []) watching.onChange(change)
    if (before !== undefined && before !== now) for (const watching of this.#byField.get(before) ?? []) watching.onChange(change)
  }

  *all(): Generator<Watching> {
    yield* this.#rest
    for (const map of [this.#byField, this.#byKey, this.#byNamespace]) for (const set of map.values()) yield* set
  }

  #place(selection: Selection): [Map<string, Set<Watching>> | undefined, string] {
    const value = this.#field === undefined ? undefined : selection.fields.get(this.#field)
    if (value !== undefined) return [this.#byField, value]
    if (selection.name !== undefined && !this.#namespaced) return [this.#byKey, selection.name]
    if (selection.name !== undefined && selection.namespace) return [this.#byKey, `${selection.namespace}/${selection.name}`]
    if (selection.namespace) return [this.#byNamespace, selection.namespace]
    return [undefined, '']
  }
}
