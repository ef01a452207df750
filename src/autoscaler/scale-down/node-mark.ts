/** The mark of a node that is being taken out: cordoned, tainted as upstream does, and with the name of its pool. */
import type { Client } from '../../client/client.ts'
import { Node } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { isGone } from '../cluster-view.ts'
import { cordonedBeforeAnnotation, leavingAnnotation } from '../node-pool.ts'
import { deletionTaint, isMarked } from '../pool-state.ts'

async function change(client: Client, name: string, changed: (node: V1Node) => V1Node | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const node = changed(await client.get(Node, { name }))
    if (!node) return
    try {
      await client.update(Node, node)
      return
    } catch (error) {
      if (!isApiError(error, 'Conflict') || attempt >= 10) throw error
    }
  }
}

/** Pods are kept off from now on. A node that is marked already stays as it is. */
export async function mark(client: Client, { metadata }: V1Node, pool: string, clock: Clock): Promise<void> {
  await change(client, metadata.name, (node) => {
    if (isMarked(node) && node.spec.unschedulable && node.metadata.annotations?.[leavingAnnotation] === pool) return undefined
    const { metadata, spec } = node
    const taints = (spec.taints ?? []).filter(({ key }) => key !== deletionTaint)
    const value = String(Math.floor(clock.now() / 1000))
    const before: Record<string, string> = spec.unschedulable && !isMarked(node) ? { [cordonedBeforeAnnotation]: 'true' } : {}
    return {
      ...node,
      metadata: { ...metadata, annotations: { ...metadata.annotations, [leavingAnnotation]: pool, ...before } },
      spec: { ...spec, unschedulable: true, taints: [...taints, { key: deletionTaint, value, effect: 'NoSchedule' }] },
    }
  })
}

/** Lets pods onto the node again, where this autoscaler, or one before it, had kept them off. */
export async function unmark(client: Client, name: string): Promise<void> {
  try {
    await change(client, name, (node) => {
      const { metadata, spec } = node
      if (!isMarked(node)) return undefined
      const { unschedulable: _, ...open } = spec
      const { [leavingAnnotation]: __, [cordonedBeforeAnnotation]: wasCordoned, ...annotations } = metadata.annotations ?? {}
      const stays = wasCordoned === 'true'
      const taints = (spec.taints ?? []).filter(({ key }) => key !== deletionTaint && (stays || key !== 'node.kubernetes.io/unschedulable'))
      return { ...node, metadata: { ...metadata, annotations }, spec: { ...(stays ? spec : open), taints } }
    })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
