/** What a kubelet tells of its own work, under upstream's names. */
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { kindOf } from '../volumes/kinds.ts'
import type { SummarySources } from './stats-summary.ts'
import { volumeStats } from './volume-stats.ts'

/** Returns what brings the values that can be known only by asking. */
export function addKubeletMetrics(registry: MetricRegistry, { services, nodeName, pods, directories }: SummarySources): () => Promise<void> {
  const { runtime, cache, clock, files, volumes: mounted } = services
  registry.gauge('kubelet_node_name', "The node's name; always 1.", ['node']).of(nodeName).set(1)
  registry.read('kubelet_desired_pods', 'gauge', 'Pods that the node is to run.', ['static'], () => [[[''], pods().length]])
  registry.read('kubelet_pleg_last_seen_seconds', 'gauge', 'When the runtime was last listed.', [], () => [
    [[], (clock.now() - (clock.monotonic() - cache.lastRelist)) / 1000],
  ])
  const runningPods = registry.gauge('kubelet_running_pods', 'Pods that have a sandbox that runs.').of()
  const containers = registry.gauge('kubelet_running_containers', 'Containers, by state.', ['container_state'])
  const labels = ['namespace', 'persistentvolumeclaim']
  const volume = (name: string, help: string) => registry.gauge(`kubelet_volume_stats_${name}`, help, labels)
  const volumes = {
    capacityBytes: volume('capacity_bytes', 'Bytes of the volume.'),
    availableBytes: volume('available_bytes', 'Bytes of the volume that are free.'),
    usedBytes: volume('used_bytes', 'Bytes of the volume that are used.'),
    inodes: volume('inodes', 'Inodes of the volume.'),
    inodesFree: volume('inodes_free', 'Inodes of the volume that are free.'),
    inodesUsed: volume('inodes_used', 'Inodes of the volume that are used.'),
  }
  registry.read('kubelet_active_pods', 'gauge', 'Pods that the node runs or is to run.', ['static'], () => [
    [['false'], pods().filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed').length],
  ])
  registry.read('kubelet_managed_ephemeral_containers', 'gauge', 'Ephemeral containers of the pods of the node.', [], () => [
    [[], pods().reduce((sum, { spec }) => sum + (spec.ephemeralContainers?.length ?? 0), 0)],
  ])
  registry.read('volume_manager_total_volumes', 'gauge', 'Volumes that are mounted, and that are to be.', ['plugin_name', 'state'], () => [
    ...counts(mounted.plugins()).map(([plugin, count]) => [[pluginName(plugin), 'actual_state_of_world'], count] as const),
    ...counts(pods().flatMap(({ spec }) => (spec.volumes ?? []).flatMap((volume) => kindOf(volume)?.plugin ?? []))).map(
      ([plugin, count]) => [[pluginName(plugin), 'desired_state_of_world'], count] as const,
    ),
  ])
  const logs = registry.gauge('kubelet_container_log_filesystem_used_bytes', 'Bytes that the logs of a container take.', [
    'uid',
    'namespace',
    'pod',
    'container',
  ])
  let logged: string[][] = []
  let claims: [string, string][] = []
  return async () => {
    const [sandboxes, all, stats] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers(), runtime.stats()])
    for (const values of logged) logs.remove(...values)
    logged = []
    for (const { metadata, containers: ofPod } of stats)
      for (const {
        name,
        logs: { usedBytes },
      } of ofPod) {
        const values = [metadata.uid, metadata.namespace, metadata.name, name]
        logged.push(values)
        logs.of(...values).set(usedBytes)
      }
    runningPods.set(sandboxes.filter(({ state }) => state === 'ready').length)
    for (const state of ['created', 'running', 'exited', 'unknown']) containers.of(state).set(all.filter((one) => one.state === state).length)
    for (const claim of claims) for (const family of Object.values(volumes)) family.remove(...claim)
    claims = []
    for (const pod of files.keeps ? pods().filter(hasClaims) : [])
      for (const { pvcRef, ...stats } of await volumeStats(pod, services, directories)) {
        if (!pvcRef) continue
        const claim: [string, string] = [pvcRef.namespace, pvcRef.name]
        claims.push(claim)
        for (const [field, family] of Object.entries(volumes)) family.of(...claim).set(stats[field as keyof typeof volumes])
      }
  }
}

const hasClaims: (pod: ReturnType<SummarySources['pods']>[number]) => boolean = ({ spec }) =>
  spec.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim) ?? false

/** `kubernetes.io/secret` of the directory's `kubernetes.io~secret`. */
const pluginName = (plugin: string) => plugin.replace('~', '/')

function counts(names: Iterable<string>): [string, number][] {
  const found = new Map<string, number>()
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1)
  return [...found]
}

/** Every call of the runtime counted and timed, by the name that it has in the Container Runtime Interface. */
export function meteredRuntime<R extends PodServices['runtime']>(runtime: R, registry: MetricRegistry, clock: PodServices['clock']): R {
  const total = registry.counter('kubelet_runtime_operations_total', 'Calls of the container runtime.', ['operation_type'])
  const failed = registry.counter('kubelet_runtime_operations_errors_total', 'Calls of the container runtime that failed.', ['operation_type'])
  const took = registry.histogram(
    'kubelet_runtime_operations_duration_seconds',
    'Seconds that calls of the container runtime took.',
    ['operation_type'],
    [
      0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125, 47.6837158203125, 119.20928955078125,
      298.0232238769531, 745.0580596923828,
    ],
  )
  const metered = new Map<PropertyKey, unknown>()
  return new Proxy(runtime, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      const known = metered.get(key)
      if (known) return known
      const operation = operationOf(String(key))
      const call = (...args: unknown[]): unknown => {
        const start = clock.monotonic()
        const result: unknown = value.apply(target, args)
        if (!(result instanceof Promise)) return result
        total.of(operation).add()
        const ended = () => took.of(operation).observe((clock.monotonic() - start) / 1000)
        result.then(ended, () => {
          failed.of(operation).add()
          ended()
        })
        return result
      }
      metered.set(key, call)
      return call
    },
  })
}

/** `runPodSandbox` is `run_podsandbox`. */
const operationOf = (method: string): string => method.replace(/PodSandbox/, '_podsandbox').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
