import type { V1LabelSelector, V1TopologySpreadConstraint } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import { type Cluster, maxScore, type Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'
import { matchesNodeLabels, matchesNodeSelector } from './node-affinity.ts'
import { tolerates } from './taint-toleration.ts'

interface Constraint {
  key: string
  maxSkew: number
  minDomains: number
  selector: V1LabelSelector | undefined
  countsNode(node: NodeInfo): boolean
  /** Matching pods by topology value, for the nodes that count. */
  counts: Map<string, number>
}

function selectorOf(pod: PodInfo, constraint: V1TopologySpreadConstraint): V1LabelSelector | undefined {
  if (!constraint.matchLabelKeys?.length) return constraint.labelSelector
  const extra = constraint.matchLabelKeys.flatMap((key) => {
    const value = pod.labels[key]
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }]
  })
  return { ...constraint.labelSelector, matchExpressions: [...(constraint.labelSelector?.matchExpressions ?? []), ...extra] }
}

function prepare(pod: PodInfo, constraints: V1TopologySpreadConstraint[], cluster: Cluster): Constraint[] {
  const prepared = constraints.map((constraint): Constraint => {
    const honoursAffinity = constraint.nodeAffinityPolicy !== 'Ignore'
    const honoursTaints = constraint.nodeTaintsPolicy === 'Honor'
    return {
      key: constraint.topologyKey,
      maxSkew: constraint.maxSkew,
      minDomains: constraint.minDomains ?? 1,
      selector: selectorOf(pod, constraint),
      counts: new Map(),
      countsNode: (node) =>
        node.labels[constraint.topologyKey] !== undefined &&
        (!honoursAffinity ||
          (matchesNodeLabels(pod.nodeSelector, node) && (!pod.requiredNodeAffinity || matchesNodeSelector(pod.requiredNodeAffinity, node)))) &&
        (!honoursTaints ||
          node.taints.every((taint) => taint.effect === 'PreferNoSchedule' || pod.tolerations.some((toleration) => tolerates(toleration, taint)))),
    }
  })
  for (const node of cluster.nodes()) {
    // A node without one of the topologies is no place for this pod, and its pods do not count.
    if (!prepared.every((constraint) => node.labels[constraint.key] !== undefined)) continue
    for (const constraint of prepared) {
      if (!constraint.countsNode(node)) continue
      let count = 0
      for (const existing of node.pods.values()) {
        if (existing.namespace !== pod.namespace || existing.pod.metadata.deletionTimestamp) continue
        if (constraint.selector && matchesLabelSelector(constraint.selector, existing.labels)) count++
      }
      const value = node.labels[constraint.key] ?? ''
      constraint.counts.set(value, (constraint.counts.get(value) ?? 0) + count)
    }
  }
  return prepared
}

/** What upstream spreads by where a pod says nothing: hosts and zones, softly. */
function defaultConstraints(pod: PodInfo): V1TopologySpreadConstraint[] {
  const owner = pod.pod.metadata.ownerReferences?.find((reference) => reference.controller)
  if (!owner || Object.keys(pod.labels).length === 0) return []
  const labelSelector: V1LabelSelector = { matchLabels: pod.labels }
  const soft = { whenUnsatisfiable: 'ScheduleAnyway', labelSelector }
  return [
    { ...soft, maxSkew: 3, topologyKey: 'kubernetes.io/hostname' },
    { ...soft, maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone' },
  ]
}

const name = 'PodTopologySpread'
const scoreState = 'PodTopologySpread/score'

/** Spreads pods over topologies so that no two differ by more than `maxSkew`. */
export const podTopologySpread: Plugin = {
  name,
  weight: 2,
  wakenBy: ['node-added', 'node-labels', 'pod-assigned', 'pod-deleted', 'pod-updated'],
  preFilter(pod, cluster, state) {
    const hard = (pod.pod.spec.topologySpreadConstraints ?? []).filter((constraint) => constraint.whenUnsatisfiable === 'DoNotSchedule')
    if (hard.length === 0) return 'skip'
    state.set(name, prepare(pod, hard, cluster))
    return undefined
  },
  filter(pod, node, state) {
    for (const constraint of state.get(name) as Constraint[]) {
      const value = node.labels[constraint.key]
      if (value === undefined) return { reason: "node(s) didn't match pod topology spread constraints (missing required label)", unresolvable: true }
      const self = constraint.selector && matchesLabelSelector(constraint.selector, pod.labels) ? 1 : 0
      const least = constraint.counts.size < constraint.minDomains ? 0 : Math.min(...constraint.counts.values())
      if ((constraint.counts.get(value) ?? 0) + self - least > constraint.maxSkew) return { reason: "node(s) didn't match pod topology spread constraints" }
    }
    return undefined
  },
  preScore(pod, nodes, cluster, state) {
    const own = pod.pod.spec.topologySpreadConstraints ?? []
    const soft = own.length > 0 ? own.filter((constraint) => constraint.whenUnsatisfiable === 'ScheduleAnyway') : defaultConstraints(pod)
    const known = soft.filter((constraint) => nodes.some((node) => node.labels[constraint.topologyKey] !== undefined))
    if (known.length === 0) return 'skip'
    state.set(scoreState, prepare(pod, known, cluster))
    return undefined
  },
  score(_pod, node, state) {
    // Each topology weighs by the logarithm of its size, so that zones and hosts can be compared.
    return (state.get(scoreState) as Constraint[]).reduce((sum, constraint) => {
      const value = node.labels[constraint.key]
      if (value === undefined) return sum
      return sum + (constraint.counts.get(value) ?? 0) * Math.log(constraint.counts.size + 2) + (constraint.maxSkew - 1)
    }, 0)
  },
  normalize(scores) {
    const [min, max] = [Math.min(...scores.values()), Math.max(...scores.values())]
    for (const [node, score] of scores) scores.set(node, max === 0 ? maxScore : Math.floor((maxScore * (max + min - score)) / max))
  },
}
