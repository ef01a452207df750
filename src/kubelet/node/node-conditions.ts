import { timestamp } from '../../machinery/clock.ts'
import type { V1NodeCondition } from '../../machinery/schema/generated/types.ts'
import type { PressureCondition } from '../eviction/thresholds.ts'

export interface NodeHealth {
  /** Why the node cannot run pods; empty when it can. */
  notReady: string[]
  pressure: readonly PressureCondition[]
}

const pressures: readonly PressureCondition[] = ['MemoryPressure', 'DiskPressure', 'PIDPressure']

/** What the node was short of when it told this. */
export const pressureIn = (stored: readonly V1NodeCondition[]): PressureCondition[] =>
  pressures.filter((one) => stored.some(({ type, status }) => type === one && status === 'True'))

export function nodeConditions(health: NodeHealth, stored: readonly V1NodeCondition[], now: number): V1NodeCondition[] {
  const pressure = (type: PressureCondition, bad: [string, string], good: [string, string]): V1NodeCondition => {
    const is = health.pressure.includes(type)
    const [reason, message] = is ? bad : good
    return { type, status: is ? 'True' : 'False', reason, message }
  }
  const drafts: V1NodeCondition[] = [
    pressure(
      'MemoryPressure',
      ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
      ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ),
    pressure('DiskPressure', ['KubeletHasDiskPressure', 'kubelet has disk pressure'], ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure']),
    pressure(
      'PIDPressure',
      ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
      ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ),
    health.notReady.length === 0
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : {
          type: 'Ready',
          status: 'False',
          reason: 'KubeletNotReady',
          message: health.notReady.length === 1 ? health.notReady[0] : `[${health.notReady.join(', ')}]`,
        },
  ]
  const time = timestamp(now)
  return drafts.map((draft) => {
    const before = stored.find((condition) => condition.type === draft.type)
    return {
      ...draft,
      lastHeartbeatTime: time,
      lastTransitionTime: before?.status === draft.status && before.lastTransitionTime ? before.lastTransitionTime : time,
    }
  })
}
