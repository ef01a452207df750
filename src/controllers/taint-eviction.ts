/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or not for so long. */

import { tolerates } from '../apis/core/toleration.ts'
import { defineController, type Read } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Node, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Node, V1Pod, V1Taint } from '../machinery/schema/generated/types.ts'
import { nodeNameOf } from './node-lifecycle.ts'
import { NodeMetrics } from './node-metrics.ts'
import { isFinished } from './pod-state.ts'

export const taintEvictionController: AnyController = defineController<V1Pod>({
  name: 'taint-eviction-controller',
  reconciles: Pod,
  watches: [{ resource: Node, keys: podsOn }],
  async reconcile(pod, { cached, client, clock, event, key, metrics }) {
    if (!pod?.spec.nodeName || pod.metadata.deletionTimestamp || isFinished(pod)) return
    const node = cached(Node, pod.spec.nodeName)
    const taints = (node?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
    if (!node || taints.length === 0) return
    const leftMs = toleratedUntil(taints, pod, node, clock.now()) - clock.now()
    if (leftMs === Number.POSITIVE_INFINITY) return
    if (leftMs > 0) return { again: leftMs }
    event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
    try {
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: timestamp(clock.now()),
      }
      const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type)
      await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions: [...others, condition] } })
      await client.delete(Pod, pod.metadata, { preconditions: { uid: pod.metadata.uid } })
      new NodeMetrics(metrics).podDeleted(-leftMs)
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
    return
  },
})

function podsOn(node: V1Node, previous: V1Node | undefined, { informer }: Read): string[] {
  const noExecute = (one: V1Node | undefined) => JSON.stringify((one?.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute'))
  if (noExecute(node) === noExecute(previous)) return []
  const pods = informer(Pod)
  pods.addIndex('node', nodeNameOf)
  return pods.indexed('node', node.metadata.name).map(keyOf)
}

/** Of several taints the one that is tolerated shortest counts; one that is not tolerated: now. */
function toleratedUntil(taints: V1Taint[], { metadata, spec: { tolerations = [] } }: V1Pod, node: V1Node, now: number): number {
  const until = taints.map((taint) => {
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint))
    if (fitting.length === 0) return now
    const seconds = Math.min(...fitting.map(({ tolerationSeconds }) => tolerationSeconds ?? Number.POSITIVE_INFINITY))
    // From when the two met, so that a controller that starts anew does not begin to count again.
    const added = Date.parse(taint.timeAdded ?? taintsSetAt(node))
    // Both are told in whole seconds: nobody goes before the time that it was given.
    return Math.max(added, Date.parse(metadata.creationTimestamp)) + (seconds > 0 ? seconds * 1000 + 999 : 0)
  })
  return Math.min(...until)
}

/** Who taints a node by hand seldom says when; who owns the taints, and since when, is recorded with each write. */
function taintsSetAt({ metadata }: V1Node): string {
  const times = (metadata.managedFields ?? []).flatMap(({ fieldsV1, time }) => {
    const spec = (fieldsV1 as { 'f:spec'?: object } | undefined)?.['f:spec']
    return time !== undefined && spec !== undefined && 'f:taints' in spec ? [time] : []
  })
  return times.sort().at(-1) ?? metadata.creationTimestamp
}
