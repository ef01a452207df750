/** Pods bear a node that is not ready or not reachable for five minutes; new nodes bear no pods until they are ready. */
import type { V1Node, V1Pod, V1Toleration } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin } from '../contracts.ts'
import { draftOf, isWriteOf } from './refuse.ts'

const seconds = 300
const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'

const tolerates = (toleration: V1Toleration, key: string) =>
  (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect)

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (attributes) => (attributes.verb === 'create' || attributes.verb === 'update') && isWriteOf(attributes, 'pods'),
  mutate(attributes) {
    const { spec } = draftOf<V1Pod>(attributes)
    if (!spec) return
    for (const key of [notReady, unreachable]) {
      if (spec.tolerations?.some((toleration) => tolerates(toleration, key))) continue
      spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }]
    }
  },
}

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'nodes'),
  mutate(attributes) {
    const node = draftOf<V1Node>(attributes)
    node.spec ??= {}
    if (node.spec.taints?.some(({ key, effect }) => key === notReady && effect === 'NoSchedule')) return
    node.spec.taints = [...(node.spec.taints ?? []), { key: notReady, effect: 'NoSchedule' }]
  },
}
