/** Takes one node out of the cluster: marked and cordoned, its pods evicted, then ended by its provider. */
import { isGone } from '../cluster-view.ts'
import type { Instance, NodeGroup } from '../node-provider.ts'
import { type DrainInput, drain } from './drain.ts'
import { mark, unmark } from './node-mark.ts'

export interface NodeRemovalInput extends DrainInput {
  pool: string
  instance: Instance
  group: NodeGroup
  /** Whether a node that could not be taken out keeps its mark: it is tried again, by this autoscaler or the next. */
  keepsMark(): boolean
}

/** Rejects where the node stays. */
export async function removeNode(input: NodeRemovalInput): Promise<void> {
  const { client, clock, events, node, group, instance, pool } = input
  try {
    await mark(client, node, pool, clock)
  } catch (error) {
    if (!isGone(error)) events.event(node, 'Warning', 'ScaleDownFailed', `failed to mark the node as toBeDeleted/unschedulable: ${textOf(error)}`)
    throw error
  }
  events.event(node, 'Normal', 'ScaleDown', 'marked the node as toBeDeleted/unschedulable')
  let drained = false
  try {
    await drain(input)
    drained = true
    await group.remove([{ ...instance, node }])
  } catch (error) {
    if (!input.signal.aborted)
      events.event(node, 'Warning', 'ScaleDownFailed', drained ? `failed to delete the node: ${textOf(error)}` : 'failed to drain the node, aborting ScaleDown')
    if (!input.keepsMark()) await unmark(client, node.metadata.name)
    throw error
  }
  events.event(node, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler')
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
