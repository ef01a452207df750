/**
 * Finds a node on which a pod would fit if less important pods were not there, and which of them have to go: as few,
 * and as unimportant, as possible, and those that disruption budgets protect last. Nothing is done yet.
 */
import type { V1PodDisruptionBudget } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import type { Cluster, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'
import type { PodInfo } from './pod-info.ts'
import type { FilterRun } from './scheduling-cycle.ts'

export interface Preemption {
  node: NodeInfo
  victims: PodInfo[]
  /** Of the victims, how many a budget protects. */
  violations: number
}

export type PreemptionResult = { ok: true; chosen: Preemption } | { ok: false; message: string }

/** Candidates to choose from: upstream looks at a tenth of the nodes, and at a hundred at least. */
const leastCandidates = 100
const candidateShare = 0.1

export interface PreemptionInput {
  pod: PodInfo
  cluster: Cluster
  run: FilterRun
  rejections: ReadonlyMap<string, Rejection>
  budgets: readonly V1PodDisruptionBudget[]
  now: number
  random(): number
}

export function findPreemption({ pod, cluster, run, rejections, budgets, now, random }: PreemptionInput): PreemptionResult {
  const all = cluster.nodes()
  const reasons = new Map<string, number>()
  const count = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  const possible: NodeInfo[] = []
  for (const node of all) {
    if (rejections.get(node.name)?.unresolvable) count('Preemption is not helpful for scheduling')
    else possible.push(node)
  }
  const wanted = Math.max(leastCandidates, Math.floor(all.length * candidateShare))
  const offset = Math.floor(random() * possible.length)
  const candidates: Preemption[] = []
  for (let i = 0; i < possible.length && candidates.length < wanted; i++) {
    const node = possible[(offset + i) % possible.length] as NodeInfo
    const found = victimsOn(node, pod, run, budgets, now)
    if (typeof found === 'string') for (const reason of found.split('\n')) count(reason)
    else candidates.push(found)
  }
  const [first, ...others] = candidates
  if (first) return { ok: true, chosen: others.reduce((best, other) => (compare(other, best, now) < 0 ? other : best), first) }
  const told = [...reasons].map(([reason, nodes]) => `${nodes} ${reason}`).sort()
  return { ok: false, message: `0/${all.length} nodes are available: ${told.join(', ')}.` }
}

const startedAt = ({ pod }: PodInfo, now: number) => (pod.status?.startTime ? Date.parse(pod.status.startTime) : now)

/** More important: of higher priority, then longer there. */
const byImportance = (now: number) => (a: PodInfo, b: PodInfo) => b.priority - a.priority || startedAt(a, now) - startedAt(b, now)

/** Why it would not help, or who would have to go. */
function victimsOn(node: NodeInfo, pod: PodInfo, run: FilterRun, budgets: readonly V1PodDisruptionBudget[], now: number): Preemption | string {
  const lesser = [...node.pods.values()].filter((other) => other.priority < pod.priority)
  if (lesser.length === 0) return 'No preemption victims found for incoming pod'
  const trial = node.copy()
  const isGone = new Set<PodInfo>()
  const take = (other: PodInfo) => {
    trial.remove(other.key)
    run.suppose(other, node, -1)
    isGone.add(other)
  }
  const putBack = (other: PodInfo) => {
    trial.add(other)
    run.suppose(other, node, 1)
    isGone.delete(other)
  }
  try {
    for (const other of lesser) take(other)
    const rejection = run.check(trial)
    if (rejection) return rejection.reason
    const { protectedPods, others } = byProtection(lesser.sort(byImportance(now)), budgets)
    let violations = 0
    // As many as possible stay, the more important ones first.
    for (const group of [protectedPods, others])
      for (const other of group) {
        putBack(other)
        if (!run.check(trial)) continue
        take(other)
        if (group === protectedPods) violations++
      }
    return { node, victims: [...isGone].sort(byImportance(now)), violations }
  } finally {
    for (const other of isGone) run.suppose(other, node, 1)
  }
}

/** Those whose end would go against a budget, counting the ones before them. */
function byProtection(pods: readonly PodInfo[], budgets: readonly V1PodDisruptionBudget[]): { protectedPods: PodInfo[]; others: PodInfo[] } {
  const left = new Map(budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  const protectedPods: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    const mine = budgets.filter(
      ({ metadata, spec, status }) =>
        metadata.namespace === pod.namespace &&
        spec?.selector !== undefined &&
        matchesLabelSelector(spec.selector, pod.labels) &&
        status?.disruptedPods?.[pod.pod.metadata.name] === undefined,
    )
    let isProtected = false
    for (const budget of mine) {
      const allowed = (left.get(budget) ?? 0) - 1
      left.set(budget, allowed)
      if (allowed < 0) isProtected = true
    }
    if (isProtected) protectedPods.push(pod)
    else others.push(pod)
  }
  return { protectedPods, others }
}

/** Negative when `a` is to be preferred. */
function compare(a: Preemption, b: Preemption, now: number): number {
  const highest = ({ victims }: Preemption) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY
  const sum = ({ victims }: Preemption) => victims.reduce((total, { priority }) => total + priority + 2 ** 31, 0)
  const earliest = (one: Preemption) => Math.min(...one.victims.filter(({ priority }) => priority === highest(one)).map((victim) => startedAt(victim, now)))
  const order = a.violations - b.violations || highest(a) - highest(b) || sum(a) - sum(b) || a.victims.length - b.victims.length
  return order || (a.victims.length > 0 ? earliest(b) - earliest(a) : 0)
}
