/** Whom a node that is short of something still takes. */

import { qualityOfService } from '../../apis/core/quality-of-service.ts'
import { tolerates } from '../../apis/core/toleration.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Refusal } from '../node/admission.ts'
import { isCritical } from './critical.ts'
import { refusalMessage } from './messages.ts'
import type { PressureCondition } from './thresholds.ts'

export function admitUnderPressure(pod: V1Pod, conditions: readonly PressureCondition[]): Refusal | undefined {
  if (conditions.length === 0 || isCritical(pod)) return undefined
  if (conditions.every((condition) => condition === 'MemoryPressure')) {
    if (qualityOfService(pod.spec) !== 'BestEffort') return undefined
    const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' }
    if (pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))) return undefined
  }
  return { reason: 'Evicted', message: refusalMessage(conditions) }
}
