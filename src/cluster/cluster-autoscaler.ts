/** The autoscaler of a cluster of Skiff: its pools' nodes are real ones of this machine, simulated ones, or those of others. */

import { startClusterAutoscaler } from '../autoscaler/cluster-autoscaler.ts'
import { externalProviderOnDemand } from '../autoscaler/external/on-demand.ts'
import { autoscalerObjects } from '../autoscaler/manifests.ts'
import { madeNodes, type NodeMaker, poolOfName } from '../autoscaler/providers/made-nodes.ts'
import type { AutoscalerSettings } from '../autoscaler/settings.ts'
import type { Client } from '../client/client.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import type { Election } from '../client/leader-election.ts'
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding, ServiceAccount } from '../client/resources.ts'
import { autoscalerPort, withAutoscalerPages } from './autoscaler-pages.ts'
import { ensure } from './ensure.ts'
import type { LocalNodes } from './nodes/local-nodes.ts'
import type { SimulatedNodes } from './simulated-nodes/simulated-nodes.ts'

export interface ClusterNodePoolsOptions {
  localNodes: LocalNodes
  /** Started when the first pool asks for them. */
  simulatedNodes(): Promise<SimulatedNodes>
  /** The administrator's, for the objects. */
  admin: Client
  leaderElection: Election
  /** How it decides, where not as usual. */
  settings?: Partial<AutoscalerSettings>
  /** Where `/metrics` is served. */
  host: string
}

export async function startNodePools(context: ComponentContext, options: ClusterNodePoolsOptions): Promise<Component> {
  const { admin, leaderElection } = options
  const { serviceAccount, clusterRole, clusterRoleBinding, role, roleBinding } = autoscalerObjects
  await Promise.all([
    ensure(admin, ServiceAccount, serviceAccount),
    ensure(admin, ClusterRole, clusterRole),
    ensure(admin, ClusterRoleBinding, clusterRoleBinding),
    ensure(admin, Role, role),
    ensure(admin, RoleBinding, roleBinding),
  ])
  const { client, clock, metrics } = context
  const autoscaler = startClusterAutoscaler(context, {
    providers: {
      Local: madeNodes({ maker: localMaker(options.localNodes), client, clock }),
      Simulated: madeNodes({ maker: simulatedMaker(() => options.simulatedNodes()), client, clock }),
      External: externalProviderOnDemand({ client, clock }),
    },
    leaderElection,
    ...(options.settings ? { settings: options.settings } : {}),
  })
  return metrics ? withAutoscalerPages(autoscaler, metrics, { host: options.host, port: autoscalerPort }) : autoscaler
}

function localMaker(nodes: LocalNodes): NodeMaker {
  return {
    expected: ({ name, pool, capacity, labels, taints }) => nodes.expected({ name, pool, capacity, labels, taints }),
    list: () => nodes.list(),
    async create({ name, pool, capacity, labels, taints }) {
      await nodes.create({ name, pool, capacity, labels, taints })
    },
    remove: (name) => nodes.remove(name),
  }
}

function simulatedMaker(nodes: () => Promise<SimulatedNodes>): NodeMaker {
  return {
    expected: async ({ name, capacity, labels }) => (await nodes()).expected({ name, capacity, labels }),
    list: async () => (await nodes()).names().map((name) => ({ name, pool: poolOfName(name) ?? '' })),
    create: async ({ name, capacity, labels, taints, startDelayMs }) => (await nodes()).addNode({ name, capacity, labels, taints, startDelayMs }),
    remove: async (name) => (await nodes()).removeNode(name),
  }
}
