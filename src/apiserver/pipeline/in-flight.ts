/**
 * How many requests are worked on at once: of those that read and of those that change, each their own number (upstream's
 * defaults). More than that wait for a while in the order in which they came; what waits too long, or finds too many
 * waiting, is asked to come again.
 */
import type { Clock, Timer } from '../../machinery/clock.ts'
import { tooManyRequests } from '../../machinery/errors.ts'
import { superuserGroup } from '../authorization/superuser.ts'
import type { RequestInfo, UserInfo } from '../request.ts'
import { isLongRunning } from './long-running.ts'

export interface InFlightLimits {
  reading: number
  mutating: number
  /** How many may wait for each of the two. */
  waiting: number
  /** Milliseconds that one waits at most. */
  patience: number
}

export const defaultLimits: InFlightLimits = { reading: 400, mutating: 200, waiting: 3200, patience: 15_000 }

const readingVerbs = new Set(['get', 'list', 'watch'])

interface Waiting {
  start(): void
  timer: Timer
}

class Lane {
  #running = 0
  readonly #waiting = new Set<Waiting>()
  readonly #limit: number
  readonly #limits: InFlightLimits
  readonly #clock: Clock

  constructor(limit: number, limits: InFlightLimits, clock: Clock) {
    this.#limit = limit
    this.#limits = limits
    this.#clock = clock
  }

  /** Undefined: go at once. */
  enter(): Promise<void> | undefined {
    if (this.#running < this.#limit) {
      this.#running++
      return undefined
    }
    if (this.#waiting.size >= this.#limits.waiting) throw refusal()
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#limits.patience, () => {
        this.#waiting.delete(waiting)
        reject(refusal())
      })
      const waiting: Waiting = { start: resolve, timer }
      this.#waiting.add(waiting)
    })
  }

  counts(): { running: number; waiting: number } {
    return { running: this.#running, waiting: this.#waiting.size }
  }

  readonly leave = (): void => {
    const [next] = this.#waiting
    if (!next) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next.timer.cancel()
    next.start()
  }
}

export class InFlight {
  readonly #reading: Lane
  readonly #mutating: Lane

  constructor(clock: Clock, limits: InFlightLimits = defaultLimits) {
    this.#reading = new Lane(limits.reading, limits, clock)
    this.#mutating = new Lane(limits.mutating, limits, clock)
  }

  counts(kind: 'readOnly' | 'mutating'): { running: number; waiting: number } {
    return (kind === 'readOnly' ? this.#reading : this.#mutating).counts()
  }

  /** Undefined for who is not counted: what lasts, and who must always get an answer. Else what ends the request's place. */
  enter(user: UserInfo, info: RequestInfo): Promise<() => void> | (() => void) | undefined {
    if (isLongRunning(info) || user.groups.includes(superuserGroup)) return undefined
    const lane = readingVerbs.has(info.verb) ? this.#reading : this.#mutating
    return lane.enter()?.then(() => lane.leave) ?? lane.leave
  }
}

const refusal = () => tooManyRequests('Too many requests, please try again later.', 1)
