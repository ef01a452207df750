import type { V1PodAffinityTerm } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import { type Cluster, maxScore, type Plugin } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'

/** Whether a term of `owner` means the pod `other`. */
function matchesTerm(term: V1PodAffinityTerm, owner: PodInfo, other: PodInfo): boolean {
  if (term.namespaces?.length || term.namespaceSelector) {
    // Namespace labels are not known here: an empty selector means all, another one none beside those named.
    const all = term.namespaceSelector && !term.namespaceSelector.matchLabels && !term.namespaceSelector.matchExpressions?.length
    if (!all && !term.namespaces?.includes(other.namespace)) return false
  } else if (other.namespace !== owner.namespace) return false
  return term.labelSelector !== undefined && matchesLabelSelector(term.labelSelector, other.labels)
}

/** Counts by topology: `key=value`. */
type Counts = Map<string, number>

function count(into: Counts, labels: Record<string, string>, key: string, amount: number): void {
  const value = labels[key]
  if (value === undefined) return
  const topology = `${key}=${value}`
  into.set(topology, (into.get(topology) ?? 0) + amount)
}

interface FilterState {
  /** Where the pods are that required affinity wants, for each term. */
  affinity: Counts[]
  /** Where the pods are that required anti-affinity does not want. */
  antiAffinity: Counts
  /** Where pods are that do not want this one. */
  refusedBy: Counts
}

function filterState(pod: PodInfo, cluster: Cluster): FilterState {
  const state: FilterState = { affinity: pod.requiredAffinity.map(() => new Map()), antiAffinity: new Map(), refusedBy: new Map() }
  const looksAtAll = pod.requiredAffinity.length > 0 || pod.requiredAntiAffinity.length > 0
  for (const node of cluster.nodes()) {
    if (!looksAtAll && node.withRequiredAntiAffinity === 0) continue
    for (const existing of node.pods.values()) {
      pod.requiredAffinity.forEach((term, index) => {
        const counts = state.affinity[index]
        if (counts && matchesTerm(term, pod, existing)) count(counts, node.labels, term.topologyKey, 1)
      })
      for (const term of pod.requiredAntiAffinity) if (matchesTerm(term, pod, existing)) count(state.antiAffinity, node.labels, term.topologyKey, 1)
      for (const term of existing.requiredAntiAffinity) if (matchesTerm(term, existing, pod)) count(state.refusedBy, node.labels, term.topologyKey, 1)
    }
  }
  return state
}

const name = 'InterPodAffinity'
const scoreState = 'InterPodAffinity/score'
/** What an existing pod's required affinity to the new one is worth. */
const hardAffinityWeight = 1

/** Pods near to, or away from, other pods, by topology. */
export const interPodAffinity: Plugin = {
  name,
  weight: 2,
  wakenBy: ['node-added', 'node-labels', 'pod-assigned', 'pod-deleted', 'pod-updated'],
  preFilter(pod, cluster, state) {
    const filtered = filterState(pod, cluster)
    if (pod.requiredAffinity.length === 0 && pod.requiredAntiAffinity.length === 0 && filtered.refusedBy.size === 0) return 'skip'
    state.set(name, filtered)
    return undefined
  },
  filter(pod, node, state) {
    const { affinity, antiAffinity, refusedBy } = state.get(name) as FilterState
    const at = (key: string) => `${key}=${node.labels[key]}`
    for (const topology of refusedBy.keys()) {
      const [key = ''] = topology.split('=', 1)
      if (at(key) === topology) return { reason: "node(s) didn't satisfy existing pods anti-affinity rules" }
    }
    if (pod.requiredAntiAffinity.some((term) => node.labels[term.topologyKey] !== undefined && antiAffinity.has(at(term.topologyKey))))
      return { reason: "node(s) didn't match pod anti-affinity rules" }
    const misses = pod.requiredAffinity.some((term, index) => node.labels[term.topologyKey] === undefined || !affinity[index]?.has(at(term.topologyKey)))
    if (!misses) return undefined
    // The first of a group whose members want each other may go anywhere that has the topology.
    const isFirst =
      affinity.every((counts) => counts.size === 0) &&
      pod.requiredAffinity.every((term) => node.labels[term.topologyKey] !== undefined && matchesTerm(term, pod, pod))
    return isFirst ? undefined : { reason: "node(s) didn't match pod affinity rules", unresolvable: true }
  },
  preScore(pod, _nodes, cluster, state) {
    const wishes = pod.preferredAffinity.length > 0 || pod.preferredAntiAffinity.length > 0
    const counts: Counts = new Map()
    for (const node of cluster.nodes()) {
      if (!wishes && node.withAffinity === 0) continue
      for (const existing of node.pods.values()) {
        for (const { weight, term } of pod.preferredAffinity) if (matchesTerm(term, pod, existing)) count(counts, node.labels, term.topologyKey, weight)
        for (const { weight, term } of pod.preferredAntiAffinity) if (matchesTerm(term, pod, existing)) count(counts, node.labels, term.topologyKey, -weight)
        if (!existing.hasAffinity) continue
        for (const term of existing.requiredAffinity) if (matchesTerm(term, existing, pod)) count(counts, node.labels, term.topologyKey, hardAffinityWeight)
        for (const { weight, term } of existing.preferredAffinity) if (matchesTerm(term, existing, pod)) count(counts, node.labels, term.topologyKey, weight)
        for (const { weight, term } of existing.preferredAntiAffinity)
          if (matchesTerm(term, existing, pod)) count(counts, node.labels, term.topologyKey, -weight)
      }
    }
    if (counts.size === 0) return 'skip'
    state.set(scoreState, counts)
    return undefined
  },
  score(_pod, node, state) {
    let sum = 0
    for (const [topology, weight] of state.get(scoreState) as Counts) {
      const separator = topology.indexOf('=')
      if (node.labels[topology.slice(0, separator)] === topology.slice(separator + 1)) sum += weight
    }
    return sum
  },
  normalize(scores) {
    const [min, max] = [Math.min(...scores.values()), Math.max(...scores.values())]
    for (const [node, score] of scores) scores.set(node, max > min ? Math.floor((maxScore * (score - min)) / (max - min)) : 0)
  },
}
