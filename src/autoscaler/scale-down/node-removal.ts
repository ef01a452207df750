/** Takes one node out of the cluster: marked and cordoned, its pods evicted, then ended by its provider. */
import { isGone } from '../cluster-view.ts'
import type { Instance, NodeGroup } from '../node-provider.ts'
import { type DrainInput, drain } from './drain.ts'
import { mark } from './node-mark.ts'

export interface NodeRemovalInput extends DrainInput {
  pool: string
  instance: Instance
  group: NodeGroup
}

/**
 * Rejects where the node was not taken out. It keeps its mark then: whether it is still there, and is to take pods
 * again, only another look tells.
 */
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
    throw error
  }
  events.event(node, 'Normal', 'ScaleDown', 'node removed by cluster autoscaler')
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
