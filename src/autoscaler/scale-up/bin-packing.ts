/** How many nodes of a template some pods need: each on the first that it fits, the largest pods first. */
import type { V1DaemonSet, V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Rejection } from '../../scheduler/framework.ts'
import { NodeInfo } from '../../scheduler/node-info.ts'
import { type PodInfo, podInfo } from '../../scheduler/pod-info.ts'
import { fromTemplate } from '../pool-state.ts'
import { isRejection, likeness, mayFitLater, type Trial } from '../simulation/trial.ts'

export interface Packing {
  nodes: number
  pods: PodInfo[]
  /** Why a pod does not fit an empty node, by likeness. */
  rejections: Map<string, Rejection>
}

/** Named after the pool, so that nobody takes it for a node that is there. */
export const templateName = (pool: string, index: number): string => `template-node-for-${pool}-${index}`

export interface PackingInput {
  trial: Trial
  pool: string
  template: V1Node
  daemonSets: readonly V1DaemonSet[]
  pods: readonly PodInfo[]
  mostNodes: number
  likenessOf: (pod: PodInfo) => string
}

/** The trial is left as it was found. */
export function pack({ trial, pool, template, daemonSets, pods, mostNodes, likenessOf }: PackingInput): Packing {
  const mark = trial.length
  const added: NodeInfo[] = []
  const packing: Packing = { nodes: 0, pods: [], rejections: new Map() }
  /** Pods that are alike need not look again at nodes that were too full for one of them. */
  const lookFrom = new Map<string, number>()
  /** Likenesses that were tried on an empty node. */
  const tried = new Set<string>()
  const fitsAdded = (pod: PodInfo, alike: string): boolean => {
    const from = lookFrom.get(alike) ?? 0
    const candidates = added.slice(from)
    const at = trial.placeOnFirst(pod, candidates)
    lookFrom.set(alike, at === undefined ? added.length : from + at)
    return at !== undefined
  }
  for (const pod of bySize(pods, template)) {
    const alike = likenessOf(pod)
    if (packing.rejections.has(alike) && !mayFitLater(pod)) continue
    if (mayFitLater(pod)) lookFrom.delete(alike)
    if (fitsAdded(pod, alike)) {
      packing.pods.push(pod)
      continue
    }
    const isFull = added.length >= mostNodes && added.length > 0
    if (isFull && tried.has(alike)) continue
    tried.add(alike)
    const before = trial.length
    const node = addTemplate(trial, fromTemplate(template, templateName(pool, added.length)), daemonSets)
    const run = trial.filters(pod)
    const rejection = isRejection(run) ? run : run.check(node)
    if (rejection) {
      packing.rejections.set(alike, rejection)
      trial.backTo(before)
      continue
    }
    packing.rejections.delete(alike)
    if (isFull) {
      trial.backTo(before)
      continue
    }
    trial.put(pod, node)
    added.push(node)
    packing.pods.push(pod)
    lookFrom.set(alike, added.length - 1)
  }
  packing.nodes = added.length
  trial.backTo(mark)
  return packing
}

/** A new node with what DaemonSets put on each. */
export function addTemplate(trial: Trial, node: V1Node, daemonSets: readonly V1DaemonSet[]): NodeInfo {
  const info = trial.add(node)
  for (const set of daemonSets) {
    const pod = podInfo(daemonPod(set, node.metadata.name))
    const run = trial.filters(pod)
    if (!isRejection(run) && !run.check(info)) trial.put(pod, info)
  }
  return info
}

function daemonPod({ metadata, spec }: V1DaemonSet, node: string): V1Pod {
  const { template } = spec
  const tolerations = ['not-ready', 'unreachable', 'disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable', 'network-unavailable'].map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
  }))
  return {
    metadata: { ...template.metadata, name: `${metadata.name}-${node}`, namespace: metadata.namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
    spec: { containers: [], ...template.spec, tolerations: [...(template.spec?.tolerations ?? []), ...tolerations] },
  } as V1Pod
}

function bySize(pods: readonly PodInfo[], template: V1Node): PodInfo[] {
  const { capacity } = new NodeInfo(template)
  const share = ({ cpu, memory }: PodInfo) => (capacity.cpu ? cpu / capacity.cpu : 0) + (capacity.memory ? memory / capacity.memory : 0)
  return pods
    .map((pod) => ({ pod, size: share(pod) }))
    .sort((a, b) => b.size - a.size)
    .map(({ pod }) => pod)
}

/** Worked out once for each pod. */
export function likenesses(): (pod: PodInfo) => string {
  const known = new Map<PodInfo, string>()
  return (pod) => {
    const found = known.get(pod) ?? likeness(pod)
    known.set(pod, found)
    return found
  }
}
