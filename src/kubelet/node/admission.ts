/** Whether a pod that is bound to this node may run on it: the scheduler decides by what it knew, the node by what is. */
import { hostPortsCollide, hostPortsOf } from '../../apis/core/host-ports.ts'
import { podFitsNode, selectableNode } from '../../apis/core/node-selector.ts'
import { podRequests, type Resources, resourceAmount } from '../../apis/core/pod-requests.ts'
import { dottedSysctl, safeSysctls } from '../../apis/core/safe-sysctls.ts'
import { tolerates } from '../../apis/core/toleration.ts'
import { toWhole } from '../../machinery/quantity.ts'
import type { V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { PendingResize } from '../pod/allocation.ts'

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
  const sysctl = forbiddenSysctl(pod)
  if (sysctl) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${sysctl}` }
  return insufficient(pod, others, allocatable) ?? portTaken(pod, others)
}

/** Only what is the pod's own may be set: not what it shares with the node. */
function forbiddenSysctl({ spec }: V1Pod): string | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const dotted = dottedSysctl(name)
    if (!safeSysctls.has(dotted)) return `${JSON.stringify(name)} not allowlisted`
    if (spec.hostNetwork && dotted.startsWith('net.')) return `${JSON.stringify(name)} not allowed with host net enabled`
    if (spec.hostIPC && dotted.startsWith('kernel.')) return `${JSON.stringify(name)} not allowed with host ipc enabled`
  }
  return undefined
}

function portTaken(pod: V1Pod, others: readonly V1Pod[]): Refusal | undefined {
  const wanted = hostPortsOf(pod)
  if (wanted.length === 0) return undefined
  const isTaken = others.some((other) => hostPortsOf(other).some((used) => wanted.some((port) => hostPortsCollide(port, used))))
  if (!isTaken) return undefined
  return { reason: 'NodePorts', message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports" }
}

/** Whether the node has, for a pod that it runs, the CPU and memory that the pod asks for now: never, or not yet (KEP-1287). */
export function refuseResize(pod: V1Pod, others: readonly V1Pod[], allocatable: Record<string, string>): PendingResize | undefined {
  const requests = podRequests(pod)
  for (const name of ['memory', 'cpu']) {
    const capacity = resourceAmount(name, allocatable[name] ?? '0')
    const requested = requests.get(name) ?? 0
    if (requested > capacity)
      return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, requested: ${requested}, capacity: ${capacity}` }
  }
  const lacking = insufficient(pod, others, allocatable)
  return lacking && { reason: 'Deferred', message: lacking.message }
}

function insufficient(pod: V1Pod, others: readonly V1Pod[], allocatable: Record<string, string>): Refusal | undefined {
  const limit = toWhole(allocatable.pods ?? '110')
  if (others.length + 1 > limit) return out('pods', 1, others.length, limit)
  const used: Resources = new Map()
  for (const other of others) for (const [name, amount] of podRequests(other)) used.set(name, (used.get(name) ?? 0) + amount)
  for (const [name, amount] of podRequests(pod)) {
    const capacity = resourceAmount(name, allocatable[name] ?? '0')
    const taken = used.get(name) ?? 0
    if (amount > 0 && amount + taken > capacity) return out(name, amount, taken, capacity)
  }
  return undefined
}

const out = (name: string, requested: number, used: number, capacity: number): Refusal => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function untolerated(pod: V1Pod, node: V1Node | undefined): boolean {
  const taints = (node?.spec.taints ?? []).filter((taint) => taint.effect === 'NoExecute')
  return taints.some((taint) => !(pod.spec.tolerations ?? []).some((toleration) => tolerates(toleration, taint)))
}
