/** What an autoscaler remembers between two looks: what it would have done, and what it did. Lost at a restart, as upstream. */

export interface Recommendation {
  at: number
  replicas: number
}

/** A change of size; `by` is positive. */
export interface ScaleEvent {
  at: number
  by: number
}

/** The longest window and period that an autoscaler may have. */
const rememberMs = 3_600_000

export class ScalingHistory {
  recommendations: Recommendation[] = []
  ups: ScaleEvent[] = []
  downs: ScaleEvent[] = []

  recommend(at: number, replicas: number): void {
    this.recommendations = this.recommendations.filter((one) => one.at + rememberMs > at)
    this.recommendations.push({ at, replicas })
  }

  scaled(at: number, from: number, to: number): void {
    const kept = (events: ScaleEvent[]) => events.filter((one) => one.at + rememberMs > at)
    this.ups = to > from ? [...kept(this.ups), { at, by: to - from }] : kept(this.ups)
    this.downs = to < from ? [...kept(this.downs), { at, by: from - to }] : kept(this.downs)
  }

  /** Of the recommendations within the window, and `replicas`, the lowest or highest. */
  extreme(pick: (...values: number[]) => number, replicas: number, now: number, windowMs: number): number {
    return this.recommendations.reduce((found, one) => (one.at > now - windowMs ? pick(found, one.replicas) : found), replicas)
  }
}

export const changeWithin = (events: readonly ScaleEvent[], now: number, periodMs: number): number =>
  events.reduce((sum, one) => (one.at > now - periodMs ? sum + one.by : sum), 0)
