/** A pod as the scheduler sees it: what its plugins ask again and again, worked out once. */
import { type HostPort, hostPortsOf } from '../apis/core/host-ports.ts'
import { heldRequests, type Resources } from '../apis/core/pod-requests.ts'
import type { V1NodeSelector, V1Pod, V1PodAffinityTerm, V1Toleration } from '../machinery/schema/generated/types.ts'

export interface PodInfo {
  pod: V1Pod
  key: string
  namespace: string
  labels: Record<string, string>
  requests: Resources
  /** Of the requests, and all others beside these two. */
  cpu: number
  memory: number
  otherRequests: [string, number][]
  /** With the least that a container is taken to need where it says nothing; for scoring alone. */
  nonZeroRequests: { cpu: number; memory: number }
  hostPorts: HostPort[]
  tolerations: V1Toleration[]
  nodeSelector: Record<string, string> | undefined
  requiredNodeAffinity: V1NodeSelector | undefined
  requiredAffinity: V1PodAffinityTerm[]
  requiredAntiAffinity: V1PodAffinityTerm[]
  preferredAffinity: { weight: number; term: V1PodAffinityTerm }[]
  preferredAntiAffinity: { weight: number; term: V1PodAffinityTerm }[]
  hasAffinity: boolean
  /** It is being deleted. */
  isEnding: boolean
  /** The same for pods of one namespace that are alike to others: see `pod-groups.ts`. */
  group: string
  priority: number
}

/** Upstream's guesses for containers without requests (100m, 200 MB). */
const defaultMilliCpu = 100
const defaultMemory = 200 * 1024 * 1024

function nonZero(pod: V1Pod, requests: Resources): PodInfo['nonZeroRequests'] {
  let cpu = requests.get('cpu') ?? 0
  let memory = requests.get('memory') ?? 0
  for (const container of pod.spec.containers) {
    if (container.resources?.requests?.cpu === undefined) cpu += defaultMilliCpu
    if (container.resources?.requests?.memory === undefined) memory += defaultMemory
  }
  return { cpu, memory }
}

function groupOf({ metadata, spec }: V1Pod): string {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const labels = Object.entries(metadata.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([labels, podAffinity, podAntiAffinity, metadata.deletionTimestamp !== undefined])
}

export function podInfo(pod: V1Pod): PodInfo {
  const affinity = pod.spec.affinity
  const requests = heldRequests(pod)
  const weighted = (terms: { weight: number; podAffinityTerm: V1PodAffinityTerm }[] | undefined) =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => ({ weight, term: podAffinityTerm }))
  return {
    pod,
    key: `${pod.metadata.namespace}/${pod.metadata.name}`,
    namespace: pod.metadata.namespace,
    labels: pod.metadata.labels ?? {},
    requests,
    cpu: requests.get('cpu') ?? 0,
    memory: requests.get('memory') ?? 0,
    otherRequests: [...requests].filter(([name, amount]) => name !== 'cpu' && name !== 'memory' && amount > 0),
    nonZeroRequests: nonZero(pod, requests),
    hostPorts: hostPortsOf(pod),
    tolerations: pod.spec.tolerations ?? [],
    nodeSelector: pod.spec.nodeSelector,
    requiredNodeAffinity: affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution,
    requiredAffinity: affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    requiredAntiAffinity: affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
    preferredAffinity: weighted(affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: weighted(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    hasAffinity: affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined,
    isEnding: pod.metadata.deletionTimestamp !== undefined,
    group: groupOf(pod),
    priority: pod.spec.priority ?? 0,
  }
}
