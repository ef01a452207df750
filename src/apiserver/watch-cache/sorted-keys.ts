/** Keys in the store's order, for pages and for the objects of a namespace, which lie side by side. */
export class SortedKeys {
  #keys: string[] = []

  get length(): number {
    return this.#keys.length
  }

  reset(keys: Iterable<string>): void {
    this.#keys = [...keys].sort(byOrder)
  }

  add(key: string): void {
    const last = this.#keys.at(-1)
    if (last === undefined || last < key) this.#keys.push(key)
    else this.#keys.splice(this.#lowerBound(key), 0, key)
  }

  remove(key: string): void {
    const at = this.#lowerBound(key)
    if (this.#keys[at] === key) this.#keys.splice(at, 1)
  }

  /** The keys that start with `prefix`, from `start` on. */
  range(prefix: string, start = prefix): string[] {
    if (prefix === '' && start === '') return this.#keys
    const from = this.#lowerBound(start < prefix ? prefix : start)
    const to = prefix === '' ? this.#keys.length : this.#lowerBound(`${prefix}\uffff`)
    return this.#keys.slice(from, to)
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
