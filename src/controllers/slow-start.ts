/**
 * Does `count` things, first one, then two, four, … at a time, and stops after a batch in which one failed: what
 * fails for all alike (a quota) is asked once, not a thousand times.
 */
export async function slowStart(count: number, act: (index: number) => Promise<void>): Promise<{ done: number; error?: unknown }> {
  let done = 0
  let started = 0
  for (let batch = 1; started < count; batch *= 2) {
    const size = Math.min(batch, count - started)
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => act(started + index)))
    started += size
    done += results.filter(({ status }) => status === 'fulfilled').length
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) return { done, error: failed.reason }
  }
  return { done }
}
