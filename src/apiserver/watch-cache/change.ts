/** A change of one stored object, as the cache tells it; shared by all who watch. */
import type { AnyObject } from '../../machinery/object.ts'
import { share } from '../values/object-codec.ts'

export class CacheChange {
  readonly revision: number
  readonly key: string
  /** Undefined: deleted. */
  readonly object: AnyObject | undefined
  readonly previous: AnyObject | undefined
  #departed: AnyObject | undefined

  constructor(revision: number, key: string, object: AnyObject | undefined, previous: AnyObject | undefined, deleted?: AnyObject) {
    this.revision = revision
    this.key = key
    this.object = object
    this.previous = previous
    this.#departed = deleted
  }

  /** The last state before the change, with the revision of the change: what a DELETED event carries. */
  get departed(): AnyObject | undefined {
    if (!this.#departed && this.previous) {
      const { metadata } = this.previous
      this.#departed = share({ ...this.previous, metadata: { ...metadata, resourceVersion: String(this.revision) } })
    }
    return this.#departed
  }
}
