/** Takes one node out of the cluster: marked and cordoned, its pods evicted, then ended by its provider. Undone where that fails. */
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { Node, Pod } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'
import { isGone } from '../cluster-view.ts'
import type { Instance, NodeGroup } from '../node-provider.ts'
import { deletionTaint } from '../pool-state.ts'
import type { AutoscalerSettings } from '../settings.ts'

export interface NodeRemovalInput {
  client: Client
  clock: Clock
  events: EventRecorder
  settings: AutoscalerSettings
  signal: AbortSignal
  node: V1Node
  instance: Instance
  group: NodeGroup
  /** Those that have to go first. */
  pods: readonly V1Pod[]
}

/** Beyond its own grace, so long may a pod take to be gone. */
const headroomMs = 30_000
const lookAgainMs = 1_000

/** Rejects where the node stays. */
export async function removeNode(input: NodeRemovalInput): Promise<void> {
  const { client, clock, events, node, pods, group, instance } = input
  try {
    await mark(client, node, clock)
  } catch (error) {
    events.event(node, 'Warning', 'ScaleDownFailed', `failed to mark the node as toBeDeleted/unschedulable: ${textOf(error)}`)
    throw error
  }
  events.event(node, 'Normal', 'ScaleDown', 'marked the node as toBeDeleted/unschedulable')
  let drained = false
  try {
    await drain(input, pods)
    drained = true
    await group.remove([instance])
  } catch (error) {
    // Whoever leads next takes the mark away.
    if (!input.signal.aborted) {
      await unmark(client, node.metadata.name)
      events.event(node, 'Warning', 'ScaleDownFailed', drained ? `failed to delete the node: ${textOf(error)}` : 'failed to drain the node, aborting ScaleDown')
    }
    throw error
  }
  events.event(node, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler')
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

async function change(client: Client, name: string, changed: (node: V1Node) => V1Node['spec'] | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const node = await client.get(Node, { name })
    const spec = changed(node)
    if (!spec) return
    try {
      await client.update(Node, { ...node, spec })
      return
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt >= 10) throw error
    }
  }
}

const mark = (client: Client, { metadata }: V1Node, clock: Clock) =>
  change(client, metadata.name, ({ spec }) => {
    const taints = (spec.taints ?? []).filter(({ key }) => key !== deletionTaint)
    const value = String(Math.floor(clock.now() / 1000))
    return { ...spec, unschedulable: true, taints: [...taints, { key: deletionTaint, value, effect: 'NoSchedule' }] }
  })

/** Lets pods onto the node again, where this autoscaler, or one before it, had kept them off. */
export async function unmark(client: Client, name: string): Promise<void> {
  try {
    await change(client, name, ({ spec }) => {
      if (!spec.taints?.some(({ key }) => key === deletionTaint)) return undefined
      const { unschedulable: _, ...rest } = spec
      const taints = spec.taints.filter(({ key }) => key !== deletionTaint && key !== 'node.kubernetes.io/unschedulable')
      return { ...rest, taints }
    })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function drain(input: NodeRemovalInput, pods: readonly V1Pod[]): Promise<void> {
  const { clock, settings, signal } = input
  const until = clock.monotonic() + settings.maxPodEvictionMs
  await Promise.all(pods.map((pod) => evict(input, pod, until)))
  const grace = Math.max(0, ...pods.map((pod) => graceOf(pod, settings)))
  const deadline = clock.monotonic() + grace * 1000 + headroomMs
  for (;;) {
    const left = await Promise.all(pods.map((pod) => isOn(input, pod)))
    if (!left.includes(true)) return
    if (clock.monotonic() >= deadline) throw new Error('pods remain after their time')
    await clock.sleep(lookAgainMs, signal)
  }
}

const graceOf = ({ spec }: V1Pod, settings: AutoscalerSettings) => Math.min(spec.terminationGracePeriodSeconds ?? 30, settings.maxGracefulTerminationSeconds)

async function isOn({ client, node }: NodeRemovalInput, { metadata }: V1Pod): Promise<boolean> {
  const current = await client.find(Pod, metadata)
  if (current?.metadata.uid !== metadata.uid || current.spec.nodeName !== node.metadata.name) return false
  return current.status?.phase !== 'Succeeded' && current.status?.phase !== 'Failed'
}

/** Budgets may say no for a while. */
async function evict({ client, clock, events, settings, signal }: NodeRemovalInput, pod: V1Pod, until: number): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  events.event(pod, 'Normal', 'ScaleDown', 'deleting pod for node scale down')
  for (;;) {
    try {
      await client.subresource(Pod, { name, namespace }, 'eviction', 'create', {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        deleteOptions: { gracePeriodSeconds: graceOf(pod, settings), preconditions: { uid } },
      })
      return
    } catch (error) {
      if (isGone(error) || isApiError(error, 'Conflict')) return
      if (clock.monotonic() + settings.evictionRetryMs > until) {
        events.event(pod, 'Warning', 'ScaleDownFailed', 'failed to delete pod for ScaleDown')
        throw error
      }
    }
    await clock.sleep(settings.evictionRetryMs, signal)
  }
}
