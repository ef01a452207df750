/**
 * The node's agent: registers its Node, watches the pods that are bound to it, and has one worker for each that
 * makes them so. Started again after a crash it finds its containers by their labels and lets them run on.
 */
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Component, ComponentContext } from '../client/component.ts'
import { createEventRecorder } from '../client/event-recorder.ts'
import { Node, Pod, Service } from '../client/resources.ts'
import { toMilli, toWhole } from '../machinery/quantity.ts'
import type { V1Node, V1NodeCondition, V1NodeStatus, V1Pod } from '../machinery/schema/generated/types.ts'
import { noCgroups } from './cgroups/cgroups.ts'
import { meteredCgroups } from './cgroups/metered-cgroups.ts'
import { ContainerStarter } from './container/container-starter.ts'
import { Directories } from './directories.ts'
import { KubeletEvents } from './events.ts'
import { createEvictionManager, leftForNode, thresholdsOf } from './eviction/node-eviction.ts'
import { admitUnderPressure } from './eviction/pressure-admission.ts'
import { DiskFiles } from './files/disk-files.ts'
import { ImageCollector } from './images/image-collector.ts'
import { ImageManager } from './images/image-manager.ts'
import { readNodeResolverConfig } from './network/resolver-config.ts'
import { admitPod, refuseResize } from './node/admission.ts'
import { type MachineInfo, machineLabels, readMachineInfo } from './node/machine-info.ts'
import { type NodeHealth, nodeConditions, pressureIn } from './node/node-conditions.ts'
import { NodeRegistrar } from './node/node-registrar.ts'
import { announcedResources, nodeAllocatable, nodeCapacity } from './node/node-resources.ts'
import type { KubeletOptions } from './options.ts'
import { OrphanCollector } from './orphan-collector.ts'
import { PodMetrics } from './pod/pod-metrics.ts'
import type { PodServices } from './pod/pod-services.ts'
import { PodWorkers } from './pod/pod-workers.ts'
import { StatusWriter } from './pod/status-writer.ts'
import { Termination } from './pod/termination.ts'
import { networkProbes } from './probes/network-probes.ts'
import { ProbeManager } from './probes/probe-manager.ts'
import { ProbeMetrics } from './probes/probe-metrics.ts'
import { WatchedObjects } from './referenced-objects.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { RuntimeCache } from './runtime-cache.ts'
import { CertificateMetrics } from './server/certificate-metrics.ts'
import { meteredRuntime } from './server/kubelet-metrics.ts'
import { type KubeletServer, LentServer, startKubeletServer } from './server/kubelet-server.ts'
import { VolumeManager } from './volumes/volume-manager.ts'

export const kubeletVersion = 'v1.36.0'

export interface Kubelet extends Component {
  /** Resolves when the node is registered and its pods are looked after. */
  ready: Promise<void>
  /** Once it listens; undefined without server. */
  port(): number | undefined
  /** A connection to its lent server; paused. */
  accept(socket: Socket): void
  /** Takes a new serving certificate. PEM. */
  renewServing(certificate: string, key: string): void
  /** Told of its certificates by who keeps them good. */
  readonly certificates: CertificateMetrics | undefined
}

export function startKubelet(context: ComponentContext, options: KubeletOptions): Kubelet {
  const { client, informers, clock } = context
  const { nodeName, clusterDNS, clusterDomain } = options
  const { metrics } = context
  const runtime = metrics ? meteredRuntime(options.runtime, metrics, clock) : options.runtime
  const certificates = metrics && new CertificateMetrics(metrics, clock)
  if (options.server) certificates?.shows('server', options.server.tls.cert)
  const podMetrics = metrics && new PodMetrics(metrics, clock)
  const probeMetrics = options.server ? new ProbeMetrics() : undefined
  const log = context.log.with({ component: 'kubelet', node: nodeName })
  const component = `kubelet/${nodeName}`
  const stopped = new AbortController()
  const files = options.files ?? new DiskFiles()
  const directories = new Directories(options.rootDirectory)
  const cgroups = options.cgroups && metrics ? meteredCgroups(options.cgroups, metrics, clock) : (options.cgroups ?? noCgroups)
  const network = options.probes ?? networkProbes(clock)
  const machine: MachineInfo = options.machine ?? readMachineInfo()
  const recorder = options.recorder ?? createEventRecorder({ client, clock, log, component: 'kubelet', host: nodeName })
  const events = new KubeletEvents(recorder, nodeName)
  const hostIPs = options.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address)
  const memoryDirectory = options.secretsInMemory ? join(options.rootDirectory, 'memory') : undefined
  let capacity = nodeCapacity(machine, options.capacity)
  const thresholds = thresholdsOf(options.eviction, files.keeps)
  const announced = () => announcedResources(nodes.get(nodeName)?.status?.capacity, capacity)
  const allocatable = () => ({ ...nodeAllocatable(capacity, options.reserved, leftForNode(thresholds, capacity)), ...announced() })
  let runtimeVersion = { runtimeName: 'unknown', runtimeVersion: '', runtimeApiVersion: '' }
  let server: KubeletServer | undefined
  let lent: LentServer | undefined

  const { pods, services, nodes } = options.sources ?? {
    pods: informers.informer(Pod, { fieldSelector: `spec.nodeName=${nodeName}` }),
    services: informers.informer(Service),
    nodes: informers.informer(Node, { fieldSelector: `metadata.name=${nodeName}` }),
  }

  // The parts refer to each other through the workers, which come last.
  let workers: PodWorkers | undefined
  const wake = (uid: string) => workers?.wake(uid)
  const cache = new RuntimeCache({ runtime, clock, log, relistMs: (options.relistSeconds ?? 10) * 1000, metrics: podMetrics, onChange: wake })
  const statuses = new StatusWriter({ client, clock, log, component, settleMs: options.statusSettleMs ?? 0, metrics: podMetrics })
  const probes = new ProbeManager({ runtime, network, clock, events, onChange: wake, ...(probeMetrics ? { metrics: probeMetrics } : {}) })
  const objects = options.objects ?? new WatchedObjects({ client, clock, log, onChange: wake })
  const images = new ImageManager({ runtime, clock, events, parallelPulls: options.parallelPulls ?? 3, metrics: podMetrics })
  const volumes = new VolumeManager({
    client,
    clock,
    log,
    files,
    directories,
    objects,
    events,
    allocatable,
    hostIPs,
    metrics: podMetrics,
    ...(memoryDirectory ? { memoryDirectory } : {}),
  })
  const environment = {
    objects,
    services: (namespace: string) => services.inNamespace(namespace),
    get allocatable() {
      return allocatable()
    },
    hostIPs,
  }
  const starter = new ContainerStarter({
    runtime,
    images,
    clock,
    events,
    files,
    directories,
    network,
    clusterDomain,
    nodeMemory: toWhole(capacity.memory ?? '0'),
    environment,
  })
  const nodeResolver = readNodeResolverConfig(options.resolverConfigPath ?? '/etc/resolv.conf')
  const podServices: PodServices = {
    client,
    clock,
    log,
    runtime,
    get runtimeName() {
      return runtimeVersion.runtimeName
    },
    cache,
    statuses,
    probes,
    images,
    volumes,
    objects,
    starter,
    termination: new Termination({ runtime, network, clock, events }),
    cgroups,
    files,
    directories,
    events,
    backoff: new RestartBackoff(clock),
    sandbox: { directories, clusterDNS, clusterDomain, nodeResolver, nodeName },
    hostIPs,
    ...(podMetrics ? { metrics: podMetrics } : {}),
    resyncMs: (options.resyncSeconds ?? 60) * 1000,
    span: (span) => context.span(span),
    admit: (pod: V1Pod) =>
      admitUnderPressure(pod, eviction.conditions) ??
      admitPod(pod, nodes.get(nodeName) ?? registrar.node, workers?.admittedPods(pod.metadata.uid) ?? [], allocatable()),
    refuseResize: (pod: V1Pod) => refuseResize(pod, workers?.admittedPods(pod.metadata.uid) ?? [], allocatable()),
  }
  workers = new PodWorkers(podServices)
  const living = workers
  const imageCollector = new ImageCollector({ runtime, clock, log, events, images, ...(options.imageCollection ?? {}) })
  const eviction = createEvictionManager({
    options: options.eviction,
    thresholds,
    services: podServices,
    workers,
    imageCollector,
    memoryCapacity: () => toWhole(capacity.memory ?? '0'),
    onChange: () => registrar.hurry(),
  })

  const looksForPressure = files.keeps || options.eviction?.source !== undefined
  const health = async (stored: readonly V1NodeCondition[]): Promise<NodeHealth> => {
    const notReady: string[] = []
    const { conditions } = await runtime.status()
    for (const { type, status, message } of conditions) {
      if (status) continue
      notReady.push(
        type === 'NetworkReady'
          ? `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${message}`
          : `container runtime status check may not have completed yet: ${message}`,
      )
    }
    // After a restart the pressure is not over before it was looked: pods would be sent here, to be refused.
    return { notReady, pressure: looksForPressure && !eviction.hasLooked ? pressureIn(stored) : eviction.conditions }
  }
  const nodeStatus = async (stored: V1Node | undefined): Promise<V1NodeStatus> => {
    const conditions = stored?.status?.conditions ?? []
    const [state, imageList] = await Promise.all([health(conditions), runtime.listImages()])
    return {
      addresses: options.addresses,
      capacity: { ...capacity, ...announced() },
      allocatable: allocatable(),
      conditions: nodeConditions(state, conditions, clock.now()),
      daemonEndpoints: { kubeletEndpoint: { Port: (server ?? lent)?.port ?? 0 } },
      images: imageList
        .filter((image) => image.repoTags.length + image.repoDigests.length > 0)
        .sort((a, b) => b.size - a.size)
        .slice(0, 50)
        .map((image) => ({ names: [...image.repoDigests, ...image.repoTags], sizeBytes: image.size })),
      nodeInfo: {
        machineID: machine.machineID,
        systemUUID: machine.systemUUID,
        bootID: machine.bootID,
        kernelVersion: machine.kernelVersion,
        osImage: machine.osImage,
        containerRuntimeVersion: `${runtimeVersion.runtimeName}://${runtimeVersion.runtimeVersion}`,
        kubeletVersion,
        kubeProxyVersion: '',
        operatingSystem: machine.operatingSystem,
        architecture: machine.architecture,
      },
    }
  }
  const registrar = new NodeRegistrar({
    client,
    clock,
    log,
    nodeName,
    labels: { ...machineLabels(nodeName, machine), ...options.labels },
    taints: options.taints ?? [],
    ...(options.podCIDR ? { podCIDR: options.podCIDR } : {}),
    ...(options.providerID ? { providerID: options.providerID } : {}),
    status: nodeStatus,
    onNode: () => registered(),
    shown: () => nodes.get(nodeName),
    statusSeconds: options.nodeStatusSeconds ?? 300,
    lookSeconds: options.nodeLookSeconds ?? 10,
    lease: options.lease ?? { durationSeconds: 40, renewSeconds: 10 },
  })
  let registered = () => {}
  const isRegistered = new Promise<void>((resolve) => {
    registered = resolve
  })

  const run = async () => {
    const { signal } = stopped
    runtimeVersion = await runtime.version()
    const disk = await runtime.imageFsInfo()
    capacity = nodeCapacity({ ...machine, diskBytes: disk.capacityBytes }, options.capacity)
    await files.makeDirectory(directories.pods, 0o750)
    if (memoryDirectory) await files.mountTmpfs(memoryDirectory, { mode: 0o750 })
    // Pods reach the threshold that evicts them before they reach the limit of their group.
    const usable = nodeAllocatable(capacity, options.reserved)
    await cgroups.prepare({ cpu: toMilli(usable.cpu ?? '0'), memory: toWhole(usable.memory ?? '0') })
    const sources = {
      pods,
      services: podServices,
      nodeName,
      machine: { ...machine, cpus: toMilli(capacity.cpu ?? '0') / 1000, memoryBytes: toWhole(capacity.memory ?? '0') },
      ...(metrics ? { metrics } : {}),
      ...(probeMetrics ? { probeMetrics: probeMetrics.registry } : {}),
    }
    if (options.server) server = await startKubeletServer(options.server, sources)
    if (options.lentServer) lent = new LentServer(options.lentServer, sources)
    const background = [registrar.run(signal)]
    await new Promise<void>((resolve) => background.push(cache.run(signal, resolve)))
    await Promise.all([pods.whenSynced(signal), services.whenSynced(signal), nodes.whenSynced(signal)])
    events.node('Normal', 'Starting', 'Starting kubelet.')
    const unfollow = pods.onChange(({ type, object, revision }) => {
      if (type === 'deleted') living.remove(object.metadata.uid)
      else living.update(object, revision)
    })
    signal.addEventListener('abort', unfollow, { once: true })
    background.push(
      new OrphanCollector(podServices, { memoryDirectory, isKnown: (uid) => living.has(uid), everyMs: (options.upkeepSeconds ?? 60) * 1000 }).run(signal),
    )
    background.push(imageCollector.run(signal))
    await isRegistered
    if (looksForPressure) background.push(eviction.run(signal))
    return background
  }
  const running = run()
  running.catch((error: unknown) => {
    if (!stopped.signal.aborted) log.error('the kubelet could not be started', { error })
  })

  const ready = running.then(() => {})
  // Who does not wait for it has the line in the log.
  ready.catch(() => {})

  return {
    name: component,
    ready,
    port: () => server?.port,
    accept(socket) {
      if (lent) lent.accept(socket)
      else socket.destroy()
    },
    renewServing(certificate, key) {
      server?.renew(certificate, key)
      certificates?.shows('server', certificate)
    },
    certificates,
    async stop() {
      stopped.abort(new Error('the kubelet stops'))
      statuses.stop()
      probes.stop()
      if (!options.objects) objects.stop()
      await living.stop()
      await server?.close()
      lent?.close()
      if (!options.recorder) recorder.stop()
      const background = await running.catch(() => [])
      await Promise.allSettled(background)
    },
  }
}
