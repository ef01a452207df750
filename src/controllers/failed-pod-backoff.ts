/**
 * How long a pod that failed stays before another takes its place: longer with each failure in the same place, since
 * whoever refuses one may refuse the next as fast as it is made. Times as upstream's.
 */
const initialMs = 1000
const longestMs = 15 * 60_000

export class FailedPodBackoff {
  readonly #places = new Map<string, { delayMs: number; at: number }>()
  #forgotAt = Number.NEGATIVE_INFINITY

  /** Milliseconds until the failed pod of this place may go; 0: now, and the next one waits longer. */
  waitFor(place: string, now: number): number {
    this.#forget(now)
    const known = this.#places.get(place)
    const wait = known ? known.at + known.delayMs - now : 0
    if (wait > 0) return wait
    this.#places.set(place, { delayMs: known ? Math.min(known.delayMs * 2, longestMs) : initialMs, at: now })
    return 0
  }

  /** Not each time: a set fails on thousands of nodes at once. */
  #forget(now: number): void {
    if (now - this.#forgotAt < longestMs) return
    this.#forgotAt = now
    for (const [place, { at }] of this.#places) if (now - at > 2 * longestMs) this.#places.delete(place)
  }
}
