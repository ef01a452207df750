import { timestamp } from '../../machinery/clock.ts'
import type { V2HorizontalPodAutoscalerCondition } from '../../machinery/schema/generated/types.ts'

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited'

/** An autoscaler's conditions while it is looked at. */
export class Conditions {
  readonly #now: string
  readonly #list: V2HorizontalPodAutoscalerCondition[]

  constructor(before: readonly V2HorizontalPodAutoscalerCondition[] | undefined, now: number) {
    this.#now = timestamp(now)
    this.#list = [...(before ?? [])]
  }

  set(type: ConditionType, status: 'True' | 'False', reason: string, message: string): void {
    const at = this.#list.findIndex((one) => one.type === type)
    const before = this.#list[at]
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : this.#now
    this.#list.splice(at < 0 ? this.#list.length : at, 1, { type, status, lastTransitionTime, reason, message })
  }

  list(): V2HorizontalPodAutoscalerCondition[] {
    return this.#list
  }
}
