/** From what is wanted to what is done: steadied over time, and no faster and no further than allowed. */
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from '../../machinery/schema/generated/types.ts'
import { changeWithin, type ScaleEvent, type ScalingHistory } from './scaling-history.ts'

export interface Reasoned {
  reason: string
  message: string
}

export interface Limited {
  replicas: number
  /** Of the condition AbleToScale. */
  able: Reasoned
  limited: Reasoned & { status: 'True' | 'False' }
}

export interface Wish {
  current: number
  desired: number
  min: number
  max: number
  now: number
  history: ScalingHistory
  /** Where the autoscaler does not say itself. */
  downStabilizationMs: number
}

const steady: Reasoned = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const heldUp: Reasoned = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
}
const heldDown: Reasoned = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
}

const limitedBy = (reason: string, message: string): Limited['limited'] => ({ status: 'True', reason, message })
const inRange: Limited['limited'] = { status: 'False', reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const tooFew = limitedBy('TooFewReplicas', 'the desired replica count is less than the minimum replica count')
const tooMany = limitedBy('TooManyReplicas', 'the desired replica count is more than the maximum replica count')
const tooFastUp = limitedBy('ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate')
const tooFastDown = limitedBy('ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate')

/** Without a behavior: up to the double or to four at once, down when it was wanted for the whole window. */
export function limitPlainly(wish: Wish): Limited {
  const { current, desired, min, max, now, history, downStabilizationMs } = wish
  const stable = history.extreme(Math.max, desired, now, downStabilizationMs)
  history.recommend(now, desired)
  const able = stable === desired ? steady : heldDown
  const fastest = Math.max(2 * current, 4)
  if (stable < min) return { replicas: min, able, limited: tooFew }
  if (stable > Math.min(max, fastest)) return max > fastest ? { replicas: fastest, able, limited: tooFastUp } : { replicas: max, able, limited: tooMany }
  return { replicas: stable, able, limited: inRange }
}

export function limitByBehavior(wish: Wish, { scaleUp = {}, scaleDown = {} }: V2HorizontalPodAutoscalerBehavior): Limited {
  const { current, desired, min, max, now, history, downStabilizationMs } = wish
  const upWindow = (scaleUp.stabilizationWindowSeconds ?? 0) * 1000
  const downWindow = scaleDown.stabilizationWindowSeconds === undefined ? downStabilizationMs : scaleDown.stabilizationWindowSeconds * 1000
  const lowest = history.extreme(Math.min, desired, now, upWindow)
  const highest = history.extreme(Math.max, desired, now, downWindow)
  history.recommend(now, desired)
  const stable = Math.min(Math.max(current, lowest), highest)
  const able = stable === desired ? steady : desired >= current ? heldUp : heldDown

  if (stable > current) {
    const fastest = Math.max(current, upLimit(current, history, scaleUp, now))
    if (stable > Math.min(max, fastest)) return max > fastest ? { replicas: fastest, able, limited: tooFastUp } : { replicas: max, able, limited: tooMany }
  } else if (stable < current) {
    const fastest = Math.min(current, downLimit(current, history, scaleDown, now))
    if (stable < Math.max(min, fastest)) return min < fastest ? { replicas: fastest, able, limited: tooFastDown } : { replicas: min, able, limited: tooFew }
  }
  return { replicas: stable, able, limited: inRange }
}

function upLimit(current: number, { ups, downs }: ScalingHistory, rules: V2HPAScalingRules, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = policies(rules).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(current, ups, downs, now, periodSeconds)
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals)
}

function downLimit(current: number, { ups, downs }: ScalingHistory, rules: V2HPAScalingRules, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const proposals = policies(rules).map(({ type, value, periodSeconds }) => {
    const start = atPeriodStart(current, ups, downs, now, periodSeconds)
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals)
}

const policies = ({ policies = [] }: V2HPAScalingRules) => policies

/** How many there were when the period began. */
const atPeriodStart = (current: number, ups: readonly ScaleEvent[], downs: readonly ScaleEvent[], now: number, periodSeconds: number): number =>
  current - changeWithin(ups, now, periodSeconds * 1000) + changeWithin(downs, now, periodSeconds * 1000)
