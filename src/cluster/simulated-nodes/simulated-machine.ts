/** One simulated node: the real kubelet, in a rhythm that lets thousands of them be at rest together. */

import type { Socket } from 'node:net'
import type { Component, ComponentContext } from '../../client/component.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { Directories } from '../../kubelet/directories.ts'
import { keptFiles } from '../../kubelet/files/kept-files.ts'
import { startKubelet } from '../../kubelet/kubelet.ts'
import type { MachineInfo } from '../../kubelet/node/machine-info.ts'
import type { KubeletOptions, KubeletSources } from '../../kubelet/options.ts'
import { simulatedProbes } from '../../kubelet/probes/network-probes.ts'
import type { WatchedObjects } from '../../kubelet/referenced-objects.ts'
import type { LentServerOptions } from '../../kubelet/server/kubelet-server.ts'
import { toWhole } from '../../machinery/quantity.ts'
import type { V1Taint } from '../../machinery/schema/generated/types.ts'
import { lifeFromAnnotations, type SimulatedLife } from '../../runtime/simulated/life.ts'
import { SimulatedRuntime, simulatedDiskBytes } from '../../runtime/simulated/simulated-runtime.ts'
import { restoredPod } from './restored-pods.ts'
import { PodAddresses } from './simulated-addresses.ts'

export interface SimulatedMachineOptions {
  /** Its client speaks as the node. */
  context: ComponentContext
  nodeName: string
  address: string
  podCIDR: string
  capacity: Record<string, string>
  labels: Record<string, string>
  taints: V1Taint[]
  providerID?: string
  clusterDNS: string
  clusterDomain: string
  life: SimulatedLife
  sources: KubeletSources
  objects: WatchedObjects
  recorder: EventRecorder
  bootID: string
  /** Its pods go on as they are told of; false: they are to start anew. */
  restore: boolean
  /** The heartbeat; the kubelet's own when absent. */
  lease?: KubeletOptions['lease']
  /** Absent: nobody can ask its kubelet. */
  server?: LentServerOptions
}

export interface SimulatedMachine extends Component {
  readonly runtime: SimulatedRuntime
  readonly ready: Promise<void>
  /** A connection to its kubelet; paused. */
  accept(socket: Socket): void
}

/** Something, so that what measures usage has something to measure. */
const usualUsage = { milliCores: 5, memoryBytes: 16 * 2 ** 20 }

const hour = 3600
/** Of files that are in memory alone. */
const rootDirectory = '/simulated'
/** What every start of every container would tell; of thousands of pods that is more than everything else together. */
const routine = new Set(['Starting', 'Pulling', 'Pulled', 'Created', 'Started'])

export const simulatedMachineInfo = (nodeName: string, bootID: string): MachineInfo => ({
  architecture: 'amd64',
  operatingSystem: 'linux',
  kernelVersion: 'simulated',
  osImage: 'simulated',
  machineID: nodeName,
  systemUUID: nodeName,
  bootID,
  cpus: 0,
  memoryBytes: 0,
  diskBytes: simulatedDiskBytes,
})

export function startSimulatedMachine(options: SimulatedMachineOptions): SimulatedMachine {
  const { context, nodeName, address, life, recorder } = options
  const addresses = new PodAddresses(options.podCIDR)
  const kept = new Map<string, string>()
  const runtime = new SimulatedRuntime({
    clock: context.clock,
    kept,
    life: (container, sandbox) => ({ usage: usualUsage, ...life, ...lifeFromAnnotations(container, sandbox) }),
    address: () => {
      const free = addresses.take()
      if (!free) throw new Error(`no address is left in ${options.podCIDR}`)
      return free
    },
    released: (one) => addresses.release(one),
  })
  if (options.restore) restorePods(options, runtime, addresses)
  const kubelet = startKubelet(context, {
    nodeName,
    runtime,
    sources: options.sources,
    objects: options.objects,
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: nodeName },
    ],
    rootDirectory,
    clusterDNS: [options.clusterDNS],
    clusterDomain: options.clusterDomain,
    capacity: options.capacity,
    podCIDR: options.podCIDR,
    labels: options.labels,
    taints: options.taints,
    ...(options.providerID ? { providerID: options.providerID } : {}),
    machine: simulatedMachineInfo(nodeName, options.bootID),
    files: keptFiles(kept),
    ...(options.lease ? { lease: options.lease } : {}),
    ...(options.server ? { lentServer: options.server } : {}),
    probes: simulatedProbes(runtime),
    recorder: { ...recorder, event: (about, type, reason, ...rest) => (routine.has(reason) ? undefined : recorder.event(about, type, reason, ...rest)) },
    // Of this runtime no event is ever lost, and no volume grows old: nothing is looked at that nothing has happened to.
    relistSeconds: hour,
    resyncSeconds: hour,
    upkeepSeconds: hour,
    // A life without delays takes no time: its pod runs by its first status.
    statusSettleMs: 1,
    nodeLookSeconds: 300,
    imageCollection: { highPercent: 100, lowPercent: 100, everySeconds: hour },
  })
  return {
    name: kubelet.name,
    runtime,
    ready: kubelet.ready,
    accept: (socket) => kubelet.accept(socket),
    async stop() {
      recorder.stop()
      await kubelet.stop()
      await runtime.close()
    },
  }
}

function restorePods({ sources, capacity }: SimulatedMachineOptions, runtime: SimulatedRuntime, addresses: PodAddresses): void {
  const directories = new Directories(rootDirectory)
  for (const pod of sources.pods.list()) {
    const restored = restoredPod(pod, directories, toWhole(capacity.memory ?? '0'))
    if (!restored) continue
    for (const address of restored.ips) addresses.hold(address)
    runtime.restore(restored)
  }
}
