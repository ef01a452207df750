/**
 * A node of this machine: its network, container runtime, kubelet and Service proxy, in the network namespace of this
 * process. Stopping it leaves its containers running.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Component, ComponentContext } from '../client/component.ts'
import { CgroupsV1 } from '../kubelet/cgroups/cgroup-v1.ts'
import { CgroupsV2 } from '../kubelet/cgroups/cgroup-v2.ts'
import { guestThresholds } from '../kubelet/eviction/node-eviction.ts'
import { type Kubelet, startKubelet } from '../kubelet/kubelet.ts'
import type { KubeletSettings } from '../kubelet/settings.ts'
import type { V1Taint } from '../machinery/schema/generated/types.ts'
import { CommandError, type RunCommand } from '../network/command.ts'
import { ensureNodeNetwork, type NodeNetwork } from '../network/node-network.ts'
import { podMtu } from '../network/overlay.ts'
import { createPodNetwork } from '../network/pod-network.ts'
import { startServiceProxy } from '../proxy/service-proxy.ts'
import { createEmbeddedRuntime } from '../runtime/embedded/embedded-runtime.ts'
import { type Spawner, startSpawner } from '../runtime/embedded/spawner.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { DataDirectory } from './data-directory.ts'
import type { NodeLease } from './node-lease.ts'
import type { KeyPair } from './pki/certificate-authority.ts'

export interface NodeOptions {
  nodeName: string
  /** The node's own address; the API server reaches its kubelet there. */
  address: string
  /** What the node keeps; `run` is in memory. */
  data: Pick<DataDirectory, 'root' | 'run' | 'kubelet'>
  /** Absent: `images/` of its own. */
  imagesDir?: string
  cgroupRoot: string
  /** For the kubelet's server. */
  serving: KeyPair
  /** PEM of the authority of those who may call the kubelet. */
  clientCa: string
  labels?: Record<string, string>
  taints?: V1Taint[]
  /** How many processes the machine can have; absent: what can be seen from here. */
  pidMax?: number
  /** What it leaves out is the machine's. */
  capacity?: Record<string, string>
  providerID?: string
  /** The kubelet's own when absent. */
  lease?: NodeLease | undefined
  podCIDR: string
  /** Block of all pods of the cluster. */
  clusterCIDR: string
  serviceCIDR: string
  clusterDNS: string
  clusterDomain: string
  /** Of its kubelet; as usual when absent. */
  settings?: KubeletSettings | undefined
  kubelet: ComponentContext
  /** Absent: another proxy serves the node. */
  proxy: ComponentContext | undefined
}

export interface Node extends Component {
  readonly runtime: Runtime
  /** The pair that follows the one that is shown. */
  renewServing(pair: KeyPair): void
  /** Of its kubelet; see there. */
  readonly certificates: Kubelet['certificates']
  /** Ends its containers too, gently, as when a machine is shut down. */
  shutDown(): Promise<void>
}

/** What containers get to end when the node is shut down: databases close their files. */
const graceSeconds = 3

export async function startNode(options: NodeOptions): Promise<Node> {
  const { nodeName, address, data, serving } = options
  const { clock, log } = options.kubelet
  const { podCIDR, clusterCIDR, serviceCIDR } = options
  const network: NodeNetwork = { bridge: 'skiff0', podCIDR, clusterCIDR, serviceCIDR, mtu: podMtu }
  await ensureNodeNetwork(network)
  const spawner = startSpawner()
  const runtime = await createEmbeddedRuntime({
    dataDir: data.root,
    ...(options.imagesDir ? { imagesDir: options.imagesDir } : {}),
    stateDir: join(data.run, 'runtime'),
    ...(options.pidMax ? { pidMax: options.pidMax } : {}),
    cgroupRoot: options.cgroupRoot,
    network: createPodNetwork({ network, stateDirectory: join(data.run, 'network'), run: textOf(spawner) }),
    run: spawner.run,
    clock,
    log: (message, error) => log.warn(message, error === undefined ? {} : { error: String(error) }),
  })
  const isVersion2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
  const proxy =
    options.proxy &&
    (await startServiceProxy(options.proxy, {
      nodeName,
      clusterCIDRs: [options.clusterCIDR],
      serviceCIDR: options.serviceCIDR,
      health: { host: address, port: 10256 },
      metrics: { host: address, port: 10249 },
    }))
  const kubelet = startKubelet(options.kubelet, {
    nodeName,
    runtime,
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: nodeName },
    ],
    rootDirectory: data.kubelet,
    clusterDNS: [options.clusterDNS],
    clusterDomain: options.clusterDomain,
    podCIDR: options.podCIDR,
    ...(options.lease ? { lease: options.lease } : {}),
    labels: { 'skiff.dev/node-pool': 'default', ...options.labels },
    ...(options.taints ? { taints: options.taints } : {}),
    ...(options.capacity ? { capacity: options.capacity } : {}),
    ...(options.providerID ? { providerID: options.providerID } : {}),
    cgroups: isVersion2 ? new CgroupsV2({ root: options.cgroupRoot, clock }) : new CgroupsV1({ root: options.cgroupRoot, clock }),
    secretsInMemory: true,
    eviction: { ...guestThresholds, ...options.settings?.eviction },
    ...(options.settings?.imageCollection ? { imageCollection: options.settings.imageCollection } : {}),
    server: { host: address, port: 10250, tls: { key: serving.key, cert: serving.certificate, clientCA: options.clientCa } },
  })
  await kubelet.ready
  const end = async (lastly: () => Promise<void>) => {
    await kubelet.stop()
    await lastly()
    await proxy?.stop()
    await runtime.close()
    spawner.close()
  }
  return {
    name: 'node',
    runtime,
    renewServing: ({ certificate, key }) => kubelet.renewServing(certificate, key),
    certificates: kubelet.certificates,
    stop: () => end(async () => {}),
    shutDown: () => end(() => runtime.shutDown(graceSeconds)),
  }
}

/** As the network wants it: the output, or an error. */
function textOf(spawner: Spawner): RunCommand {
  return async (program, args, input) => {
    const { code, stdout, stderr } = await spawner.run(program, args, { ...(input === undefined ? {} : { input }) })
    if (code !== 0) throw new CommandError(program, code, stderr.toString())
    return stdout.toString()
  }
}
