/** Whether a pod that is bound to this node may run on it: the scheduler decides by what it knew, the node by what is. */
import { podFitsNode, selectableNode } from '../../apis/core/node-selector.ts'
import { tolerates } from '../../apis/core/toleration.ts'
import { toMilli, toWhole } from '../../machinery/quantity.ts'
import type { V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'

export interface Refusal {
  reason: string
  message: string
}

export function admitPod(pod: V1Pod, node: V1Node | undefined, others: readonly V1Pod[], allocatable: Record<string, string>): Refusal | undefined {
  if (node && !podFitsNode(pod.spec, selectableNode(node)))
    return { reason: 'NodeAffinity', message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector" }
  const os = pod.spec.os?.name
  if (os !== undefined && os !== 'linux') return { reason: 'PodOSNotSupported', message: `Failed to admit pod as the OS field doesn't match node OS` }
  const noExecute = untolerated(pod, node)
  if (noExecute) return { reason: 'TaintToleration', message: `Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate` }
  return insufficient(pod, others, allocatable)
}

/** Requests as the scheduler counts them: sums over containers and sidecars, or the largest init container. */
export function podRequests(pod: V1Pod): Record<string, bigint> {
  const sums: Record<string, bigint> = {}
  const sidecars: Record<string, bigint> = {}
  const add = (to: Record<string, bigint>, requests: Record<string, string> | undefined) => {
    for (const [name, amount] of Object.entries(requests ?? {})) to[name] = (to[name] ?? 0n) + units(name, amount)
  }
  for (const container of pod.spec.containers) add(sums, container.resources?.requests)
  const largest: Record<string, bigint> = {}
  for (const container of pod.spec.initContainers ?? []) {
    const own = { ...sidecars }
    add(own, container.resources?.requests)
    for (const [name, amount] of Object.entries(own)) if (amount > (largest[name] ?? 0n)) largest[name] = amount
    if (container.restartPolicy === 'Always') {
      add(sidecars, container.resources?.requests)
      add(sums, container.resources?.requests)
    }
  }
  for (const [name, amount] of Object.entries(largest)) if (amount > (sums[name] ?? 0n)) sums[name] = amount
  add(sums, pod.spec.overhead)
  return sums
}

const units = (name: string, amount: string): bigint => BigInt(name === 'cpu' ? toMilli(amount) : toWhole(amount))

function insufficient(pod: V1Pod, others: readonly V1Pod[], allocatable: Record<string, string>): Refusal | undefined {
  const limit = BigInt(toWhole(allocatable.pods ?? '110'))
  if (BigInt(others.length) + 1n > limit) return out('pods', 1n, BigInt(others.length), limit)
  const used: Record<string, bigint> = {}
  for (const other of others) for (const [name, amount] of Object.entries(podRequests(other))) used[name] = (used[name] ?? 0n) + amount
  for (const [name, amount] of Object.entries(podRequests(pod))) {
    const capacity = units(name, allocatable[name] ?? '0')
    if (amount > 0n && amount + (used[name] ?? 0n) > capacity) return out(name, amount, used[name] ?? 0n, capacity)
  }
  return undefined
}

const out = (name: string, requested: bigint, used: bigint, capacity: bigint): Refusal => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function untolerated(pod: V1Pod, node: V1Node | undefined): boolean {
  const taints = (node?.spec.taints ?? []).filter((taint) => taint.effect === 'NoExecute')
  return taints.some((taint) => !(pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint)))
}
