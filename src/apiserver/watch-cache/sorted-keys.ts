/** So few new keys are put in their places one by one; more are sorted and merged with the others. */
const fewKeys = 16

/**
 * Keys in the store's order, for pages and for the objects of a namespace, which lie side by side. New ones are put in
 * order when somebody reads: thousands may come before that.
 */
export class SortedKeys {
  #keys: string[] = []
  /** Added and not in {@link #keys} yet. */
  #added: string[] = []

  get length(): number {
    return this.#keys.length + this.#added.length
  }

  reset(keys: Iterable<string>): void {
    this.#keys = [...keys].sort(byOrder)
    this.#added = []
  }

  /** `key` must be new. */
  add(key: string): void {
    this.#added.push(key)
  }

  remove(key: string): void {
    this.#order()
    const at = this.#lowerBound(key)
    if (this.#keys[at] === key) this.#keys.splice(at, 1)
  }

  /** The keys that start with `prefix`, from `start` on. */
  range(prefix: string, start = prefix): string[] {
    this.#order()
    if (prefix === '' && start === '') return this.#keys
    const from = this.#lowerBound(start < prefix ? prefix : start)
    const to = prefix === '' ? this.#keys.length : this.#lowerBound(`${prefix}\uffff`)
    return this.#keys.slice(from, to)
  }

  #order(): void {
    const added = this.#added
    if (added.length === 0) return
    this.#added = []
    if (added.length > fewKeys) {
      this.#keys = merged(this.#keys, added.sort(byOrder))
      return
    }
    for (const key of added) {
      const last = this.#keys.at(-1)
      if (last === undefined || last < key) this.#keys.push(key)
      else this.#keys.splice(this.#lowerBound(key), 0, key)
    }
  }

  #lowerBound(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

const byOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function merged(some: string[], others: string[]): string[] {
  const all: string[] = []
  let at = 0
  for (const key of some) {
    for (let other = others[at]; other !== undefined && other < key; other = others[++at]) all.push(other)
    all.push(key)
  }
  while (at < others.length) all.push(others[at++] as string)
  return all
}
