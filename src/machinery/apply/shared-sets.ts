/**
 * Field sets that are alike are one: thousands of objects of one kind, written by the same few managers, own the same
 * fields, and their sets would be a tenth of all memory.
 */
import { type FieldSet, isEmpty, leaf, sorted, withSorted } from './field-set.ts'

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

  /** The same set, sorted, whose parts, down to two levels, are those of all sets that have them too. */
  share(set: FieldSet): FieldSet {
    return withSorted(set, (part) => this.#known(part, (unknown) => withSorted(unknown, (inner) => this.#known(inner, sorted))))
  }

  #known(set: FieldSet, make: (unknown: FieldSet) => FieldSet): FieldSet {
    if (isEmpty(set)) return leaf
    const text = JSON.stringify(set)
    const known = this.#recall(text)
    if (known) return known
    const made = make(set)
    if (text.length > longestText) return made
    // The same in another order is the same.
    const sortedText = JSON.stringify(made)
    const one = sortedText === text ? made : (this.#recall(sortedText) ?? made)
    this.#remember(sortedText, one)
    if (sortedText !== text) this.#remember(text, one)
    return one
  }

  #recall(text: string): FieldSet | undefined {
    const known = this.#younger.get(text)
    if (known) return known
    const old = this.#older.get(text)
    if (old) this.#remember(text, old)
    return old
  }

  #remember(text: string, set: FieldSet): void {
    if (this.#younger.size >= this.#size) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(text, set)
  }
}
