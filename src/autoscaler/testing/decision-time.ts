/**
 * Measures how long decisions take, over an API server in this process: `decision-time.ts [NODES] [PODS] [alike|different|apart]`.
 * All nodes are full, the pods have no place, and two pools may grow. Prints one line of JSON: the medians of several.
 */
import { Node, Pod } from '../../client/resources.ts'
import type { V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { ClusterView } from '../cluster-view.ts'
import { NodePool } from '../node-pool.ts'
import { nodesByInstance, PoolMemory, type PoolState, poolState } from '../pool-state.ts'
import { madeNodes, type NodeMaker } from '../providers/made-nodes.ts'
import { findUnneededNodes } from '../scale-down/unneeded-nodes.ts'
import { decideScaleUp } from '../scale-up/scale-up.ts'
import { defaultSettings } from '../settings.ts'
import { AutoscalerServer } from './autoscaler-server.ts'

const [nodes = 1000, pods = 1000] = process.argv.slice(2, 4).map(Number)
const kind = process.argv[4] ?? 'alike'

const server = await AutoscalerServer.start()
const { client, clock } = server
const podOf = (name: string, cpu: string, spec: Partial<V1PodSpec> = {}) => ({
  metadata: {
    name,
    namespace: 'default',
    labels: { app: 'web' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true }],
  },
  spec: { containers: [{ name: 'main', image: 'web:1', resources: { requests: { cpu, memory: '64Mi' } } }], ...spec } as V1PodSpec,
})
for (let i = 0; i < nodes; i++) {
  const name = `large-${i}`
  const node = await client.create(Node, {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
    spec: {},
  })
  const allocatable = { cpu: '4', memory: '16Gi', pods: '110' }
  const conditions = [{ type: 'Ready', status: 'True' }]
  await client.updateStatus(Node, { ...node, status: { ...node.status, allocatable, capacity: allocatable, conditions } })
  await client.patch(Node, { name }, 'merge', { spec: { taints: null } })
  await client.create(Pod, podOf(`there-${i}`, '3900m', { nodeName: name }))
}
const apart: Partial<V1PodSpec> = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' }],
    },
  },
}
for (let i = 0; i < pods; i++) {
  const pod = await client.create(Pod, podOf(`pod-${i}`, kind === 'different' ? `${500 + i}m` : '500m', kind === 'apart' ? apart : {}))
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }]
  await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
}
for (const [name, cpu] of [
  ['large', 4],
  ['huge', 16],
] as const)
  await client.create(NodePool, { metadata: { name }, spec: { kind: 'Simulated', minSize: 0, maxSize: 3000, template: { capacity: { cpu, memory: '32Gi' } } } })

const context = server.context('bench')
const view = new ClusterView(context, () => {})
await view.whenSynced(new AbortController().signal)
const maker: NodeMaker = {
  expected: ({ capacity, labels }) => ({ capacity, allocatable: capacity, labels }),
  list: async () => Array.from({ length: nodes }, (_, i) => ({ name: `large-${i}`, pool: 'large' })),
  create: async () => {},
  remove: async () => {},
}
const provider = madeNodes({ maker, client, clock })
const states: PoolState[] = []
for (const pool of (await client.list(NodePool)).items)
  states.push(
    await poolState({
      pool,
      group: await provider.group(pool),
      memory: new PoolMemory(),
      view,
      nodes: nodesByInstance(view.nodes()),
      settings: defaultSettings,
      clock,
    }),
  )

const times = (run: () => void) => {
  const all = Array.from({ length: 7 }, () => {
    const started = performance.now()
    run()
    return performance.now() - started
  })
  return { first: Math.round(all[0] ?? 0), median: Math.round(all.sort((a, b) => a - b)[3] ?? 0) }
}
let decided = ''
const up = times(() => {
  const { expansion } = decideScaleUp({ view, pools: states, unknownPools: 0, settings: defaultSettings, clock, priorities: undefined })
  decided = `${expansion?.nodes} of ${expansion?.pool} for ${expansion?.pods.length} pods`
})
const down = times(() => findUnneededNodes(view, states, defaultSettings, new Set()))
console.log(JSON.stringify({ kind, nodes, pods, upMs: up, downMs: down, decided }))
process.exit(0)
