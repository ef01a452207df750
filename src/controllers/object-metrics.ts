/** Numbers of objects that controllers look after, read when somebody asks. */
import type { InformerFactory } from '../client/informer.ts'
import { EndpointSlice, PersistentVolume, PersistentVolumeClaim, StatefulSet } from '../client/resources.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { V1EndpointSlice } from '../machinery/schema/generated/types.ts'
import { maxEndpointsPerSlice } from './endpoint-distribution.ts'
import { managedByLabel, serviceNameLabel, sliceManager } from './endpoint-slice.ts'

/** `controllers`: the names of those that run. */
export function addObjectMetrics(registry: MetricRegistry, informers: InformerFactory, manager: string, controllers: readonly string[]): void {
  registry.read('running_managed_controllers', 'gauge', 'Controllers that run; always 1.', ['name', 'manager'], () =>
    controllers.map((name) => [[name, manager], 1]),
  )
  const volumes = () => informers.informer(PersistentVolume).list()
  const claims = () => informers.informer(PersistentVolumeClaim).list()
  for (const [state, isSo] of [
    ['bound', (phase: string | undefined) => phase === 'Bound'],
    ['unbound', (phase: string | undefined) => phase !== 'Bound'],
  ] as const) {
    registry.read(`pv_collector_${state}_pv_count`, 'gauge', `Volumes that are ${state}.`, ['storage_class'], () =>
      counted(
        volumes().filter(({ status }) => isSo(status?.phase)),
        ({ spec }) => [spec?.storageClassName ?? ''],
      ),
    )
    registry.read(`pv_collector_${state}_pvc_count`, 'gauge', `Claims that are ${state}.`, ['namespace', 'storage_class', 'volume_attributes_class'], () =>
      counted(
        claims().filter(({ status }) => isSo(status?.phase)),
        ({ metadata, spec }) => [metadata.namespace, spec?.storageClassName ?? '', spec?.volumeAttributesClassName ?? ''],
      ),
    )
  }
  sliceMetrics(registry, () => informers.informer(EndpointSlice).list())
  registry.read('pv_collector_total_pv_count', 'gauge', 'Volumes, by what they are of.', ['plugin_name', 'volume_mode'], () =>
    counted(volumes(), ({ spec }) => [pluginOf(spec ?? {}), spec?.volumeMode ?? 'Filesystem']),
  )
  registry.read(
    'statefulset_controller_statefulset_unavailable_replicas',
    'gauge',
    'Replicas that a StatefulSet lacks.',
    ['statefulset_namespace', 'statefulset_name', 'pod_management_policy'],
    () =>
      informers
        .informer(StatefulSet)
        .list()
        .map(({ metadata, spec, status }) => [
          [metadata.namespace, metadata.name, spec?.podManagementPolicy ?? 'OrderedReady'],
          Math.max(0, (spec?.replicas ?? 1) - (status?.availableReplicas ?? 0)),
        ]),
  )
}

function sliceMetrics(registry: MetricRegistry, slices: () => readonly V1EndpointSlice[]): void {
  const own = () => slices().filter(({ metadata }) => metadata.labels?.[managedByLabel] === sliceManager)
  const gauge = (name: string, help: string, read: (own: readonly V1EndpointSlice[]) => number) =>
    registry.read(`endpoint_slice_controller_${name}`, 'gauge', help, [], () => [[[], read(own())]])
  const endpointsIn = (some: readonly V1EndpointSlice[]) => some.reduce((sum, { endpoints }) => sum + (endpoints?.length ?? 0), 0)
  gauge('num_endpoint_slices', 'Slices of all Services.', (all) => all.length)
  gauge('endpoints_desired', 'Endpoints of all Services.', endpointsIn)
  gauge('desired_endpoint_slices', 'Slices of all Services, were they as few as would do.', (all) => {
    const shared = Map.groupBy(all, ({ metadata, addressType, ports }) =>
      JSON.stringify([metadata.namespace, metadata.labels?.[serviceNameLabel], addressType, ports]),
    )
    return [...shared.values()].reduce((sum, some) => sum + Math.max(1, Math.ceil(endpointsIn(some) / maxEndpointsPerSlice)), 0)
  })
}

/** Of CSI drivers their name, as upstream. */
function pluginOf(spec: { csi?: { driver: string }; hostPath?: unknown; local?: unknown; nfs?: unknown }): string {
  if (spec.csi) return `kubernetes.io/csi:${spec.csi.driver}`
  if (spec.hostPath) return 'kubernetes.io/host-path'
  if (spec.local) return 'kubernetes.io/local-volume'
  return spec.nfs ? 'kubernetes.io/nfs' : 'unknown'
}

function counted<T>(items: readonly T[], labelsOf: (item: T) => string[]): [string[], number][] {
  const counts = new Map<string, [string[], number]>()
  for (const item of items) {
    const labels = labelsOf(item)
    const key = labels.join('\0')
    const known = counts.get(key)
    if (known) known[1]++
    else counts.set(key, [labels, 1])
  }
  return [...counts.values()]
}
