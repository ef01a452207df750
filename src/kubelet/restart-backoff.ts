/**
 * Backoff by key as upstream's flowcontrol has it: doubles from 10 s to 5 min, and is forgotten when nothing
 * failed for twice the longest time.
 */
import type { Clock } from '../machinery/clock.ts'

const initialMs = 10_000
const maxMs = 300_000

interface Entry {
  delayMs: number
  updatedAt: number
}

export class RestartBackoff {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds that are left of the delay that began at `since`; 0 when it may go on. */
  remaining(key: string, since: number): number {
    const entry = this.#entries.get(key)
    if (!entry || this.#expired(entry, since)) return 0
    return Math.max(0, entry.delayMs - (this.#clock.now() - since))
  }

  /** Like {@link remaining}, from the last failure on. */
  remainingSinceUpdate(key: string): number {
    const entry = this.#entries.get(key)
    return entry ? this.remaining(key, entry.updatedAt) : 0
  }

  delayMs(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0
  }

  /** Another failure, that came at `at`. */
  next(key: string, at: number): void {
    const entry = this.#entries.get(key)
    const delayMs = !entry || this.#expired(entry, at) ? initialMs : Math.min(entry.delayMs * 2, maxMs)
    this.#entries.set(key, { delayMs, updatedAt: this.#clock.now() })
  }

  /** Forgets every key that starts so. */
  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  #expired(entry: Entry, at: number): boolean {
    return at - entry.updatedAt > 2 * maxMs
  }
}

/** As Go writes durations of whole seconds: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`
}
