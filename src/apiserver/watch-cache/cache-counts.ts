/** What one resource's cache counts: plain numbers, read when somebody asks. */
export class CacheCounts {
  /** Changes that the store told of. */
  received = 0
  /** Times that all objects were read from the store, and how many those were. */
  loads = 0
  loaded = 0
  /** Events that watches were told. */
  told = 0
  /** Watches that were ended because their client did not keep up. */
  overflowed = 0
  /** Lists from the cache, and from the store's past; objects that were looked at for them, and those in the answers. */
  readonly lists = { cache: new ListCounts(), store: new ListCounts() }
}

export class ListCounts {
  total = 0
  fetched = 0
  returned = 0

  add(fetched: number, returned: number): void {
    this.total++
    this.fetched += fetched
    this.returned += returned
  }
}
