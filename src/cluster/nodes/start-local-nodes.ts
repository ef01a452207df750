/** Puts the further nodes of a cluster together with its control plane. */
import { join } from 'node:path'
import type { Client } from '../../client/client.ts'
import { Node } from '../../client/resources.ts'
import type { KubeletSettings } from '../../kubelet/settings.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { parseCidr } from '../../network/cidr.ts'
import { cgroupParent } from '../cgroup-parent.ts'
import { apiPortInside, nodesCIDR } from '../cluster-network.ts'
import type { DataDirectory } from '../data-directory.ts'
import { nodeBridge } from '../namespaces.ts'
import type { NodeLease } from '../node-lease.ts'
import type { Pki } from '../pki/pki.ts'
import { LocalNodes } from './local-nodes.ts'

export interface StartLocalNodesOptions {
  data: DataDirectory
  id: string
  pki: Pki
  firstAddress: string
  client: Client
  /** So many real nodes, the first among them: `node-2` and so on are made where they are missing. */
  atLeast: number
  capacity: Record<string, string>
  kubelet: KubeletSettings | undefined
  pidMax: number
  labels: Record<string, string>
  proxy: boolean
  lease: NodeLease
  clock: Clock
}

/** A node that is not ready by then is left to come up by itself. */
const patienceMs = 20_000

export async function startLocalNodes(options: StartLocalNodesOptions): Promise<LocalNodes> {
  const { data, pki, client, clock } = options
  const nodes = new LocalNodes({
    directory: data.nodes,
    runDirectory: join(data.run, 'nodes'),
    logs: data.logs,
    imagesDir: data.images,
    cgroupParent: cgroupParent(options.id),
    bridge: nodeBridge,
    prefix: parseCidr(nodesCIDR).prefix,
    gateway: options.firstAddress,
    server: `https://${options.firstAddress}:${apiPortInside}`,
    proxy: options.proxy,
    lease: options.lease,
    labels: options.labels,
    kubelet: options.kubelet,
    pidMax: options.pidMax,
    clock,
    authority: pki.ca.certificate,
    client: (name) => pki.nodeClient(name),
    serving: (name, addresses) => pki.kubeletServing(name, addresses),
    takenBlocks: async () => (await client.list(Node)).items.flatMap(({ spec }) => spec?.podCIDR ?? []),
  })
  await nodes.resume()
  const asked = Array.from({ length: options.atLeast - 1 }, (_, index) => `node-${index + 2}`)
  for (const name of asked) if (!(await nodes.find(name))) await nodes.create({ name, capacity: options.capacity })
  return nodes
}

/** Resolves when all that run are ready, or patience is over: one that is cut off must hold up nobody else. */
export async function localNodesReady(nodes: LocalNodes, client: Client, clock: Clock): Promise<void> {
  const running = (await nodes.list()).filter(({ state, connected }) => state === 'running' && connected)
  const deadline = clock.monotonic() + patienceMs
  for (const { name } of running) {
    while (!isReady(await client.find(Node, { name }))) {
      if (clock.monotonic() >= deadline) return
      await clock.sleep(25)
    }
  }
}

const isReady = (node: V1Node | undefined) => node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
