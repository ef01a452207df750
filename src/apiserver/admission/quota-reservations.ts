/** Objects that a quota let through and that are not in the cache yet: they count, so that many creates at once do not slip by together. */
import type { Resource } from '../../apis/resource.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { type CachedObjects, groupResource } from '../contracts.ts'

/** Longer than a write takes; what did not come by then was refused later on the way. */
const reservedMs = 5000

interface Waiting {
  /** By uid: one that came and went makes room, whoever has its name now. */
  objects: Map<string, { object: AnyObject; until: number }>
  unfollow(): void
}

export class Reservations {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(resource: Resource, object: AnyObject, stored: CachedObjects): void {
    const waiting = this.#waiting.get(groupResource(resource)) ?? this.#follow(resource, stored)
    waiting.objects.set(object.metadata.uid, { object, until: this.#clock.now() + reservedMs })
  }

  of(resource: Resource): AnyObject[] {
    const waiting = this.#waiting.get(groupResource(resource))
    if (!waiting) return []
    const now = this.#clock.now()
    for (const [uid, { until }] of waiting.objects) if (until <= now) waiting.objects.delete(uid)
    this.#endIfEmpty(resource, waiting)
    return [...waiting.objects.values()].map(({ object }) => object)
  }

  #follow(resource: Resource, stored: CachedObjects): Waiting {
    const objects: Waiting['objects'] = new Map()
    const unfollow = stored.onChange(({ object, previous }) => {
      objects.delete((object ?? previous)?.metadata.uid ?? '')
      this.#endIfEmpty(resource, waiting)
    })
    const waiting: Waiting = { objects, unfollow }
    this.#waiting.set(groupResource(resource), waiting)
    return waiting
  }

  #endIfEmpty(resource: Resource, waiting: Waiting): void {
    if (waiting.objects.size > 0) return
    waiting.unfollow()
    this.#waiting.delete(groupResource(resource))
  }
}
