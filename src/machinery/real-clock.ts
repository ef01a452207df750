import { randomUUID } from 'node:crypto'
import type { Clock, Timer } from './clock.ts'

/** Node fires at once for delays over 2^31-1 ms, where no caller waits 24 days for one timer, and complains of those that are over. */
const bounded = (ms: number): number => Math.max(0, Math.min(ms, 0x7fffffff))

/** The host's time and chance. Timers do not keep the process alive by themselves. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback): Timer {
    const handle = setTimeout(callback, bounded(ms))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  every(ms, callback): Timer {
    const handle = setInterval(callback, ms)
    handle.unref()
    return { cancel: () => clearInterval(handle) }
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        clearTimeout(handle)
        reject(signal?.reason)
      }
      const handle = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, bounded(ms))
      handle.unref()
      signal?.addEventListener('abort', abort, { once: true })
    })
  },
  random: () => Math.random(),
  uuid: () => randomUUID(),
}
