/** One pool at the moment of a decision: what its provider says, what of it is registered, and what was learnt before. */
import type { Clock } from '../machinery/clock.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { type ClusterView, isReady } from './cluster-view.ts'
import type { NodePool } from './node-pool.ts'
import type { Instance, NodeGroup } from './node-provider.ts'
import { type AutoscalerSettings, type PoolSettings, poolSettings } from './settings.ts'

export const deletionTaint = 'ToBeDeletedByClusterAutoscaler'

/** What is remembered of a pool from one decision to the next. */
export class PoolMemory {
  /** When each instance was first seen that is not ready yet, by the monotonic clock. */
  readonly firstSeen = new Map<string, number>()
  /** Wishes without an instance, since when. */
  wishesSince: number | undefined
  #backoff: { until: number; ms: number; failedAt: number; reason: string; message: string } | undefined

  backoffAt(now: number) {
    return this.#backoff && now < this.#backoff.until ? this.#backoff : undefined
  }

  /** No node is asked of the pool for a while, longer with each failure. */
  backOff(now: number, { initialBackoffMs, maxBackoffMs, backoffResetMs }: AutoscalerSettings, reason: string, message: string): void {
    const last = this.#backoff
    const goesOn = last && now - last.failedAt < backoffResetMs
    // Several failures of one attempt are one.
    if (last && now < last.until) return
    const ms = goesOn ? Math.min(last.ms * 2, maxBackoffMs) : initialBackoffMs
    this.#backoff = { until: now + ms, ms, failedAt: now, reason, message }
  }
}

export interface PoolState {
  pool: NodePool
  name: string
  memory: PoolMemory
  settings: PoolSettings
  group: NodeGroup
  template: V1Node | undefined
  targetSize: number
  instances: Instance[]
  /** Registered, and each with its instance. */
  members: { node: V1Node; instance: Instance }[]
  /** Instances that failed, or were not ready in time. */
  failed: { instance: Instance; node: V1Node | undefined; reason: string; message: string }[]
  /** Nodes that will come: wished for or starting, and not given up. */
  upcoming: number
  /** Wishes of which nothing came in time. */
  lostWishes: number
}

export const isMarked = ({ spec }: V1Node): boolean => (spec.taints ?? []).some(({ key }) => key === deletionTaint)

export const isBeingDeleted = (node: V1Node): boolean => node.metadata.deletionTimestamp !== undefined || isMarked(node)

/** Its nodes go, and no other comes. */
export const isLeaving = ({ pool }: PoolState): boolean => pool.metadata.deletionTimestamp !== undefined

interface Sources {
  pool: NodePool
  group: NodeGroup
  memory: PoolMemory
  view: ClusterView
  nodes: NodesByInstance
  settings: AutoscalerSettings
  clock: Clock
}

/** Finds the Node object of an instance, by either of its names. */
export type NodesByInstance = ReadonlyMap<string, V1Node>

export const nodesByInstance = (nodes: readonly V1Node[]): NodesByInstance =>
  new Map(nodes.flatMap((node) => [...(node.spec.providerID ? [[node.spec.providerID, node] as const] : []), [node.metadata.name, node] as const]))

export async function poolState({ pool, group, memory, view, nodes, settings, clock }: Sources): Promise<PoolState> {
  const [instances, targetSize, own, fromProvider] = await Promise.all([group.instances(), group.targetSize(), group.settings(), group.template()])
  const forPool = poolSettings(pool, own, settings)
  const now = clock.monotonic()
  const state: PoolState = {
    pool,
    name: pool.metadata.name,
    memory,
    settings: forPool,
    group,
    template: fromProvider,
    targetSize,
    instances,
    members: [],
    failed: [],
    upcoming: 0,
    lostWishes: 0,
  }
  const seen = new Set<string>()
  for (const known of instances) {
    if (known.state === 'deleting') continue
    const node = nodes.get(known.id)
    const instance = node ? { ...known, node } : known
    if (node) state.members.push({ node, instance })
    if (node && (isBeingDeleted(node) || isReady(node) || view.wasReady(node))) continue
    seen.add(instance.id)
    const since = memory.firstSeen.get(instance.id) ?? now
    memory.firstSeen.set(instance.id, since)
    if (instance.error) state.failed.push({ instance, node, reason: instance.error.code, message: instance.error.message })
    else if (now - since >= forPool.provisionMs) {
      const message = `${instance.id} was not ${node ? 'ready' : 'registered'} within ${forPool.provisionMs / 1000}s`
      state.failed.push({ instance, node, reason: 'Timeout', message })
    } else state.upcoming++
  }
  for (const id of memory.firstSeen.keys()) if (!seen.has(id)) memory.firstSeen.delete(id)
  const wishes = Math.max(0, targetSize - instances.filter(({ state: is }) => is !== 'deleting').length)
  memory.wishesSince = wishes > 0 ? (memory.wishesSince ?? now) : undefined
  if (memory.wishesSince !== undefined && now - memory.wishesSince >= forPool.provisionMs) state.lostWishes = wishes
  else state.upcoming += wishes
  state.template ??= templateOfMember(state)
  return state
}

/** Where the provider does not say how its nodes look, a node that is there does. */
function templateOfMember({ members }: PoolState): V1Node | undefined {
  const node = members.find((member) => isReady(member.node) && !isBeingDeleted(member.node))?.node
  if (!node) return undefined
  const taints = (node.spec.taints ?? []).filter(({ key }) => !key.startsWith('node.kubernetes.io/') && !key.endsWith('OfClusterAutoscaler'))
  return { ...node, spec: { taints } }
}

/** The node that the template stands for, under a name of its own. */
export function fromTemplate(template: V1Node, name: string): V1Node {
  const labels = { ...template.metadata.labels, 'kubernetes.io/hostname': name }
  return { ...template, metadata: { ...template.metadata, name, uid: name, labels } }
}
