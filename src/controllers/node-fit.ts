/** Whether a pod of a DaemonSet belongs on a node, by what it asks of nodes and tolerates of them. */
import { podFitsNode, selectableNode } from '../apis/core/node-selector.ts'
import { tolerates } from '../apis/core/toleration.ts'
import type { V1Node, V1PodSpec, V1Toleration } from '../machinery/schema/generated/types.ts'

/** `run`: a pod is to be made there; `stay`: one that is there may stay. */
export function nodeFit(spec: V1PodSpec, tolerations: readonly V1Toleration[], node: V1Node): { run: boolean; stay: boolean } {
  const untolerated = (node.spec.taints ?? []).filter((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)))
  const wanted = isWanted(spec, node)
  return {
    run: wanted && untolerated.every(({ effect }) => effect === 'PreferNoSchedule'),
    stay: wanted && untolerated.every(({ effect }) => effect !== 'NoExecute'),
  }
}

function isWanted(spec: V1PodSpec, node: V1Node): boolean {
  if (spec.nodeName && spec.nodeName !== node.metadata.name) return false
  return podFitsNode(spec, selectableNode(node))
}
