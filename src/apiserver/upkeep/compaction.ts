/** Forgets the store's past, but for the last while, so that it does not grow for ever (upstream: each five minutes). */
import type { Clock } from '../../machinery/clock.ts'
import { Compacted, type Store } from '../../store/store.ts'

export const compactionPeriod = 5 * 60_000

/** Compacts, each period, to where the store was a period ago. Returns what ends it. */
export function compactRegularly(store: Store, clock: Clock, failed: (error: unknown) => void, period = compactionPeriod): () => void {
  let before: number | undefined
  let running = false
  async function compact(): Promise<void> {
    const now = await store.revision()
    try {
      if (before !== undefined && before > (await store.compactedRevision())) await store.compact(before)
    } catch (error) {
      // Another server over the same store was faster.
      if (!(error instanceof Compacted)) throw error
    }
    before = now
  }
  const timer = clock.every(period, () => {
    if (running) return
    running = true
    compact()
      .catch(failed)
      .finally(() => {
        running = false
      })
  })
  return () => timer.cancel()
}
