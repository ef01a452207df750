/**
 * Field sets that are alike are one: thousands of objects of one kind, written by the same few managers, own the same
 * fields, and their sets would be a tenth of all memory.
 */
import { type FieldSet, isEmpty, leaf } from './field-set.ts'

/** Longer ones are seldom alike. */
const longestText = 8192

/** Remembers sets by their text, in two generations of at most `size` each: what was not seen again while one filled up is forgotten. */
export class SharedSets {
  readonly #size: number
  #younger = new Map<string, FieldSet>()
  #older = new Map<string, FieldSet>()

  constructor(size: number) {
    this.#size = size
  }

  /** The same set, whose parts, down to two levels, are those of all sets that have them too. */
  share(set: FieldSet): FieldSet {
    const result: Record<string, FieldSet> = {}
    for (const element in set) {
      const child = set[element]
      if (child !== undefined) result[element] = this.#known(child, (unknown) => this.#withKnownParts(unknown))
    }
    return result
  }

  #withKnownParts(set: FieldSet): FieldSet {
    const result: Record<string, FieldSet> = {}
    for (const element in set) {
      const child = set[element]
      if (child !== undefined) result[element] = this.#known(child, (unknown) => unknown)
    }
    return result
  }

  #known(set: FieldSet, make: (unknown: FieldSet) => FieldSet): FieldSet {
    if (isEmpty(set)) return leaf
    const text = JSON.stringify(set)
    if (text.length > longestText) return set
    let known = this.#younger.get(text)
    if (known) return known
    known = this.#older.get(text) ?? make(set)
    if (this.#younger.size >= this.#size) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(text, known)
    return known
  }
}
