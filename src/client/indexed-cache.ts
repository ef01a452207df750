/** The objects of one resource by key, with indexes that are kept up to date on each change. */
import { type KubeObject, keyOf } from '../machinery/object.ts'

interface Index<T> {
  values(object: T): string[]
  /** Value → key → object. */
  entries: Map<string, Map<string, T>>
}

export class IndexedCache<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #indexes = new Map<string, Index<T>>()

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  list(): T[] {
    return [...this.#objects.values()]
  }

  keys(): string[] {
    return [...this.#objects.keys()]
  }

  /** Adding an index again under its name changes nothing, so that components need not know of each other. */
  addIndex(name: string, values: (object: T) => string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index<T> = { values, entries: new Map() }
    this.#indexes.set(name, index)
    for (const [key, object] of this.#objects) insert(index, key, object)
  }

  indexed(name: string, value: string): T[] {
    const index = this.#indexes.get(name)
    if (!index) throw new Error(`no index ${name}`)
    return [...(index.entries.get(value)?.values() ?? [])]
  }

  /** Returns what was there before. */
  set(object: T): T | undefined {
    const key = keyOf(object)
    const previous = this.#objects.get(key)
    this.#objects.set(key, object)
    for (const index of this.#indexes.values()) {
      if (previous) remove(index, key, previous)
      insert(index, key, object)
    }
    return previous
  }

  delete(key: string): T | undefined {
    const previous = this.#objects.get(key)
    if (!previous) return undefined
    this.#objects.delete(key)
    for (const index of this.#indexes.values()) remove(index, key, previous)
    return previous
  }
}

function insert<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const entries = index.entries.get(value)
    if (entries) entries.set(key, object)
    else index.entries.set(value, new Map([[key, object]]))
  }
}

function remove<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const entries = index.entries.get(value)
    entries?.delete(key)
    if (entries?.size === 0) index.entries.delete(value)
  }
}
