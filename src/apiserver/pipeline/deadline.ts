/** No request but those that last takes longer than its time. What it began may still end well; the answer says that nobody knows. */
import type { Clock } from '../../machinery/clock.ts'
import { timeout } from '../../machinery/errors.ts'
import type { ApiRequest } from '../request.ts'

/** Upstream's default. */
export const requestTimeout = 60_000

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Clients may ask for less, as `timeout=30s`. */
export function timeOf({ query }: ApiRequest, most = requestTimeout): number {
  const asked = query.get('timeout')
  if (!asked) return most
  let total = 0
  for (const [, amount, unit] of asked.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(amount) * (units[unit ?? ''] ?? 0)
  return total > 0 ? Math.min(total, most) : most
}

export const outOfTime = () => timeout('Timeout: request did not complete within the allotted timeout', 0)

export function within<T>(clock: Clock, ms: number, work: Promise<T>, onTimeout?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      onTimeout?.()
      reject(outOfTime())
    })
    work.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}
