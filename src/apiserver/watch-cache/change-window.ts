/** The latest changes of one resource, so that a watch may start a little in the past. */
import type { CacheChange } from './change.ts'

export class ChangeWindow {
  readonly #capacity: number
  readonly #ring: CacheChange[] = []
  #next = 0
  /** Changes after this revision are all here. */
  #after: number

  constructor(after: number, capacity: number) {
    this.#after = after
    this.#capacity = capacity
  }

  add(change: CacheChange): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(change)
      return
    }
    const oldest = this.#ring[this.#next]
    if (oldest) this.#after = oldest.revision
    this.#ring[this.#next] = change
    this.#next = (this.#next + 1) % this.#capacity
  }

  /** All changes with a greater revision, in order; undefined when some of them are forgotten. */
  since(revision: number): CacheChange[] | undefined {
    if (revision < this.#after) return undefined
    const ordered = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
    return ordered.filter((change) => change.revision > revision)
  }
}
