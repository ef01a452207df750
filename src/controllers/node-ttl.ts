/** Tells kubelets, on their Nodes, how long they may keep Secrets and ConfigMaps: the longer, the more nodes there are. */
import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Node } from '../client/resources.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'
/** Overlapping, so that a node more or less does not change all of them. */
const steps = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: Number.POSITIVE_INFINITY, seconds: 300 },
]

export const nodeTtlController: AnyController = defineController<V1Node>({
  name: 'ttl-controller',
  reconciles: Node,
  async reconcile(node, { client, informer }) {
    if (!node || node.metadata.deletionTimestamp) return
    const count = informer(Node).list().length
    const current = node.metadata.annotations?.[annotation]
    const possible = steps.filter(({ from, to }) => count >= from && count <= to)
    if (possible.some(({ seconds }) => current === String(seconds))) return
    const [wanted] = possible
    if (wanted) await client.patch(Node, { name: node.metadata.name }, 'merge', { metadata: { annotations: { [annotation]: String(wanted.seconds) } } })
  },
})
