/**
 * Watches over nodes by their heartbeats: one that is silent is marked unknown, its pods as not ready, and taints tell
 * the scheduler and the eviction what its state is.
 */

import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Lease, Node, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Lease, V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { type EvictionRates, EvictionZones, zoneOf } from './eviction-zones.ts'
import { isEvictionTaint, nodeCondition, taintsFor, unknownConditions } from './node-conditions.ts'
import { NodeMetrics } from './node-metrics.ts'
import { readyCondition } from './pod-state.ts'

export interface NodeLifecycleOptions {
  /** Silent for so long, a node counts as unknown; 50 s when absent. */
  gracePeriodMs?: number
  /** The same, before it was heard of for the first time; 60 s when absent. */
  startupGracePeriodMs?: number
  /** How fast nodes that are not ready are emptied. */
  eviction?: EvictionRates
}

const leaseNamespace = 'kube-node-lease'
/** Upstream's; who is less patient looks more often. */
const longestPeriodMs = 5_000
/** A node that waits for its turn to be emptied asks again after this. */
const turnMs = 1_000

export function nodeLifecycleController(options: NodeLifecycleOptions = {}): AnyController {
  const { gracePeriodMs = 50_000, startupGracePeriodMs = 60_000 } = options
  const monitorPeriodMs = Math.min(longestPeriodMs, gracePeriodMs / 4)
  /** When each node was last heard of, by our own clock; a controller that starts gives all of them their time. */
  const heard = new Map<string, { beat: string; at: number }>()

  let zones: EvictionZones | undefined
  /** Knows all nodes from the first moment: else those that a new controller comes to first would count as the only ones. */
  function zonesNow({ clock, informer, metrics }: ReconcileContext): EvictionZones {
    if (zones) return zones
    zones = new EvictionZones(clock, options.eviction ?? {})
    for (const node of informer(Node).list()) zones.observe(node)
    new NodeMetrics(metrics).follow(zones)
    return zones
  }

  function silence(node: V1Node, lease: V1Lease | undefined, now: number): number {
    const beat = `${node.metadata.uid} ${lease?.spec.renewTime ?? ''} ${nodeCondition(node, 'Ready')?.lastHeartbeatTime ?? ''}`
    const last = heard.get(node.metadata.name)
    if (last?.beat === beat) return now - last.at
    heard.set(node.metadata.name, { beat, at: now })
    return 0
  }

  return defineController<V1Node>({
    name: 'node-controller',
    reconciles: Node,
    workers: 8,
    watches: [{ resource: Lease, keys: ({ metadata }: V1Lease) => (metadata.namespace === leaseNamespace ? [metadata.name] : []) }],
    reads: [Pod],
    async reconcile(node, context) {
      const { cached, client, clock, event, key } = context
      const start = clock.monotonic()
      const known = zonesNow(context)
      if (!node) {
        heard.delete(key)
        known.forget(key)
        return
      }
      const grace = nodeCondition(node, 'Ready') ? gracePeriodMs : startupGracePeriodMs
      let current = node
      if (silence(node, cached(Lease, `${leaseNamespace}/${key}`), clock.monotonic()) > grace) {
        const conditions = unknownConditions(node, clock.now())
        if (!deepEqual(conditions, node.status?.conditions)) {
          current = await client.updateStatus(Node, { ...node, status: { ...node.status, conditions } })
          event(current, 'Normal', 'NodeNotReady', `Node ${key} status is now: NodeNotReady`)
        }
      }
      known.observe(current)
      if (nodeCondition(current, 'Ready')?.status === 'Unknown') await markPodsNotReady(key, context)
      const waits = await writeTaints(current, known, context)
      new NodeMetrics(context.metrics).looked(clock.monotonic() - start)
      return { again: waits ? turnMs : monitorPeriodMs }
    },
  })
}

/** True when its turn to be emptied is still to come. */
async function writeTaints(node: V1Node, zones: EvictionZones, context: ReconcileContext): Promise<boolean> {
  const ready = nodeCondition(node, 'Ready')
  const isDown = ready !== undefined && ready.status !== 'True'
  const isBeingEmptied = (node.spec.taints ?? []).some(isEvictionTaint)
  const wanted = isDown && !zones.isAllDown
  const evict = wanted && (isBeingEmptied || zones.mayEmpty(node))
  const taints = taintsFor(node, evict, context.clock.now())
  if (!deepEqual(taints, node.spec.taints ?? [])) {
    const { uid, resourceVersion } = node.metadata
    await context.client.patch(Node, node.metadata, 'merge', { metadata: { uid, resourceVersion }, spec: { taints } })
    if (evict && !isBeingEmptied) new NodeMetrics(context.metrics).emptied(zoneOf(node))
  }
  return wanted && !evict
}

/** So that Services send nothing to them. The kubelet, once back, tells how they are. */
async function markPodsNotReady(node: string, { client, clock, event, informer }: ReconcileContext): Promise<void> {
  const pods = informer(Pod)
  pods.addIndex('node', nodeNameOf)
  for (const pod of pods.indexed('node', node)) {
    const ready = readyCondition(pod)
    if (ready?.status !== 'True') continue
    const conditions = (pod.status?.conditions ?? []).map((condition) =>
      condition === ready ? { ...ready, status: 'False', lastTransitionTime: timestamp(clock.now()) } : condition,
    )
    try {
      await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
      event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
  }
}

export const nodeNameOf = (pod: V1Pod): string[] => (pod.spec.nodeName ? [pod.spec.nodeName] : [])
