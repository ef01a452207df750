/** Gives simulated nodes their place in a cluster: what they may read, the way that leads nowhere, those that are there and those that were asked for. */
import type { Socket } from 'node:net'
import type { Client } from '../../client/client.ts'
import { ClusterRole, ClusterRoleBinding, Node } from '../../client/resources.ts'
import type { KubeletServerOptions } from '../../kubelet/server/kubelet-server.ts'
import { isApiError } from '../../machinery/errors.ts'
import { runCommand } from '../../network/command.ts'
import { ensure } from '../ensure.ts'
import { openKubeletDoor, simulatedKubeletPort } from './kubelet-door.ts'
import { simulatedCIDR } from './simulated-addresses.ts'
import type { SimulatedNodesWish } from './simulated-node-options.ts'
import { SimulatedNodes, type SimulatedNodesOptions, simulatedLabel } from './simulated-nodes.ts'

export const simulatedNodesAccount = 'simulated-nodes'

export interface StartOptions extends SimulatedNodesOptions {
  /** The administrator's, for the objects. */
  admin: Client
  wish: SimulatedNodesWish
  /** Signs the certificates of their kubelets. */
  serving(nodeName: string, address: string): Promise<KubeletServerOptions['tls']>
  /** Before the first of them is switched on. */
  onMade?(nodes: SimulatedNodes): void
}

/** Resolves when all nodes are Ready. */
export async function startSimulatedNodes(options: StartOptions): Promise<SimulatedNodes> {
  const { admin, wish, context } = options
  await ensureRights(admin)
  // What is sent to a simulated pod is refused at once, and does not leave the machine.
  await runCommand('ip', ['route', 'replace', 'unreachable', simulatedCIDR]).catch((error: unknown) =>
    context.log.warn('traffic to simulated pods is not refused', { error: String(error) }),
  )
  const { capacity, life } = wish
  const kubelets = { port: simulatedKubeletPort, tls: options.serving }
  const nodes = new SimulatedNodes({ ...options, kubelets, ...(capacity ? { capacity } : {}), ...(life ? { life } : {}) })
  const accept = (index: number, socket: Socket) => nodes.accept(index, socket)
  const door = openKubeletDoor({ accept, run: runCommand, log: context.log })
  door.catch((error: unknown) => context.log.warn('nobody can connect to the kubelets of simulated nodes', { error: String(error) }))
  nodes.atStop(() => door.then((close) => close()).catch(() => {}))
  options.onMade?.(nodes)
  try {
    await removeSurplus(admin, wish.count)
    await nodes.resume()
    await Promise.all(Array.from({ length: wish.count }, (_, index) => nodes.addNode({ name: `simulated-${index + 1}` })))
    return nodes
  } catch (error) {
    await nodes.stop()
    throw error
  }
}

/** Fewer are asked for than the last time: the others are gone. Those of other names belong to whoever made them. */
async function removeSurplus(admin: Client, count: number): Promise<void> {
  const { items } = await admin.list(Node, { labelSelector: `${simulatedLabel}=true` })
  for (const { metadata } of items) {
    const number = /^simulated-(\d+)$/.exec(metadata.name)?.[1]
    if (number === undefined || Number(number) <= count) continue
    await admin.delete(Node, { name: metadata.name }).catch((error: unknown) => {
      if (!isApiError(error, 'NotFound')) throw error
    })
  }
}

async function ensureRights(admin: Client): Promise<void> {
  const name = `skiff:${simulatedNodesAccount}`
  const read = ['get', 'list', 'watch']
  await ensure(admin, ClusterRole, {
    metadata: { name },
    rules: [
      { apiGroups: [''], resources: ['pods', 'services', 'configmaps', 'secrets'], verbs: read },
      { apiGroups: [''], resources: ['nodes'], verbs: [...read, 'delete'] },
    ],
  })
  await ensure(admin, ClusterRoleBinding, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: simulatedNodesAccount, namespace: 'kube-system' }],
  })
}
