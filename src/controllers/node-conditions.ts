/** What a node's conditions mean for its taints. */
import { timestamp } from '../machinery/clock.ts'
import type { V1Node, V1NodeCondition, V1Taint } from '../machinery/schema/generated/types.ts'

export const notReadyTaint = 'node.kubernetes.io/not-ready'
export const unreachableTaint = 'node.kubernetes.io/unreachable'
const unschedulableTaint = 'node.kubernetes.io/unschedulable'

/** Taints that keep new pods away, by condition and its status. */
const noScheduleTaints: Record<string, Record<string, string>> = {
  Ready: { False: notReadyTaint, Unknown: unreachableTaint },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}

const noScheduleKeys = new Set([unschedulableTaint, ...Object.values(noScheduleTaints).flatMap((byStatus) => Object.values(byStatus))])
const noExecuteKeys = new Set([notReadyTaint, unreachableTaint])

export function nodeCondition(node: V1Node, type: string): V1NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type)
}

export const isNodeReady = (node: V1Node): boolean => nodeCondition(node, 'Ready')?.status === 'True'

/** One of those by which pods are driven off a node because of its state. */
export const isEvictionTaint = ({ key, effect }: V1Taint): boolean => effect === 'NoExecute' && noExecuteKeys.has(key)

/** The node's taints as they should be. `evict`: whether pods that do not tolerate its state are to be driven off it. */
export function taintsFor(node: V1Node, evict: boolean, now: number): V1Taint[] {
  const known = node.spec.taints ?? []
  const ours = ({ key, effect }: V1Taint) => (effect === 'NoSchedule' && noScheduleKeys.has(key)) || isEvictionTaint({ key, effect })
  const wanted: V1Taint[] = []
  for (const [type, byStatus] of Object.entries(noScheduleTaints)) {
    const key = byStatus[nodeCondition(node, type)?.status ?? '']
    if (key) wanted.push({ key, effect: 'NoSchedule' })
  }
  if (node.spec.unschedulable) wanted.push({ key: unschedulableTaint, effect: 'NoSchedule' })
  const ready = nodeCondition(node, 'Ready')?.status
  if (evict && ready === 'False') wanted.push({ key: notReadyTaint, effect: 'NoExecute' })
  if (evict && ready === 'Unknown') wanted.push({ key: unreachableTaint, effect: 'NoExecute' })
  const dated = wanted.map((taint) => {
    const before = known.find(({ key, effect }) => key === taint.key && effect === taint.effect)
    return before ?? { ...taint, timeAdded: timestamp(now) }
  })
  return [...known.filter((taint) => !ours(taint)), ...dated]
}

const unknownReasons: Record<string, { reason: string; message: string }> = {
  stopped: { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' },
  never: { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' },
}

/** Conditions of a node that has not been heard of for too long: nothing is known of it any more. */
export function unknownConditions(node: V1Node, now: number): V1NodeCondition[] {
  const conditions = [...(node.status?.conditions ?? [])]
  for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
    const index = conditions.findIndex((condition) => condition.type === type)
    const known = conditions[index]
    if (!known) {
      const { creationTimestamp } = node.metadata
      conditions.push({ type, status: 'Unknown', ...unknownReasons.never, lastHeartbeatTime: creationTimestamp, lastTransitionTime: timestamp(now) })
    } else if (known.status !== 'Unknown') {
      conditions[index] = { ...known, status: 'Unknown', ...unknownReasons.stopped, lastTransitionTime: timestamp(now) }
    }
  }
  return conditions
}
