/**
 * The only way to time and chance (design, rule 5). Two implementations: {@link realClock} here,
 * and `VirtualClock` in `virtual-clock.ts` whose time moves only when a test says so.
 */
export interface Clock {
  /** Milliseconds since the epoch. May jump when the host's clock is set. */
  now(): number
  /** Milliseconds that only ever grow; for durations. */
  monotonic(): number
  /** Runs `callback` once after `ms`. */
  after(ms: number, callback: () => void): Timer
  /** Runs `callback` each `ms` until cancelled. */
  every(ms: number, callback: () => void): Timer
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** In [0, 1). */
  random(): number
  /** A version 4 UUID. */
  uuid(): string
}

export interface Timer {
  cancel(): void
}

/** RFC 3339 with whole seconds, as `metav1.Time` is written: `2026-01-02T03:04:05Z`. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with six decimals, as `metav1.MicroTime` is written. */
export function microTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`
}
