/**
 * Hands out values of a range, each to one owner. What stored objects hold is told by {@link Allocator.hold}; between
 * the choice of a value and the write that stores it, a reservation keeps it.
 */
import type { Clock } from '../../machinery/clock.ts'

export interface AllocatorOptions<V> {
  size: number
  at(index: number): V
  /** The first so many are given only to those who ask for one of them by name, as long as there are others. */
  reservedForRequests: number
  clock: Clock
}

/** `dynamic`: the allocator chose; `static`: the owner did. */
export type Scope = 'dynamic' | 'static'

export class Allocator<V extends string | number> {
  readonly #options: AllocatorOptions<V>
  readonly #held = new Map<V, string>()
  readonly #reserved = new Map<V, string>()
  /** Values that were given, and those that could not be. */
  readonly given: Record<Scope, number> = { dynamic: 0, static: 0 }
  readonly refused: Record<Scope, number> = { dynamic: 0, static: 0 }

  constructor(options: AllocatorOptions<V>) {
    this.#options = options
  }

  get taken(): number {
    return this.#held.size
  }

  get free(): number {
    return this.#options.size - this.#held.size
  }

  /** A stored object has it; its reservation, if there was one, is over. */
  hold(value: V, owner: string): void {
    this.#held.set(value, owner)
    this.#reserved.delete(value)
  }

  letGo(value: V, owner: string): void {
    if (this.#held.get(value) === owner) this.#held.delete(value)
  }

  /** False when somebody else has it. */
  reserve(value: V, owner: string): boolean {
    const holder = this.#held.get(value) ?? this.#reserved.get(value)
    if (holder !== undefined) {
      if (holder !== owner) this.refused.static++
      return holder === owner
    }
    this.#reserved.set(value, owner)
    this.given.static++
    return true
  }

  /** A free value, reserved; undefined when all are taken. */
  next(owner: string): V | undefined {
    const { size, reservedForRequests: low, clock } = this.#options
    const found = this.#search(low, size, owner, clock.random()) ?? this.#search(0, low, owner, clock.random())
    if (found === undefined) this.refused.dynamic++
    else this.given.dynamic++
    return found
  }

  cancel(value: V, owner: string): void {
    if (this.#reserved.get(value) === owner) this.#reserved.delete(value)
  }

  #search(from: number, to: number, owner: string, chance: number): V | undefined {
    const count = to - from
    const start = Math.floor(chance * count)
    for (let i = 0; i < count; i++) {
      const value = this.#options.at(from + ((start + i) % count))
      if (this.#held.has(value) || this.#reserved.has(value)) continue
      this.#reserved.set(value, owner)
      return value
    }
    return undefined
  }
}

/** How many of a range are kept for requests by name: upstream's formula, with its step for the range's size. */
export function staticBand(size: number, least: number, step: number, most: number): number {
  if (size < least) return 0
  return Math.min(Math.max(least, Math.floor(size / step)), most)
}
