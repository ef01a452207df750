/** What an API server tells of itself beside its requests: what it holds, whom it serves, how much is under way. */
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { Store } from '../../store/store.ts'
import type { InFlight } from '../pipeline/in-flight.ts'
import type { ResourceCache } from '../watch-cache/resource-cache.ts'

export interface ServerMetricsSources {
  store: Store
  caches(): Iterable<[string, ResourceCache]>
  inFlight(): InFlight
}

/** Returns what brings the values that can be known only by asking. */
export function addServerMetrics(registry: MetricRegistry, { store, caches, inFlight }: ServerMetricsSources): () => Promise<void> {
  const identity = (cache: ResourceCache) => [cache.resource.group, cache.resource.version, cache.resource.plural]
  registry.read('apiserver_storage_objects', 'gauge', 'Stored objects, by kind.', ['resource'], function* () {
    for (const [, cache] of caches()) yield [[nameOf(cache)], cache.size]
  })
  registry.read('apiserver_resource_objects', 'gauge', 'Stored objects, by group and resource.', ['group', 'resource'], function* () {
    for (const [, { resource, size }] of caches()) yield [[resource.group, resource.plural], size]
  })
  registry.read('apiserver_registered_watchers', 'gauge', 'Watches that are open.', ['group', 'version', 'kind'], function* () {
    for (const [, { resource, watchers }] of caches()) if (watchers > 0) yield [[resource.group, resource.version, resource.kind], watchers]
  })
  registry.read('apiserver_watch_events_total', 'counter', 'Events that watches were told.', ['group', 'version', 'resource'], function* () {
    for (const [, cache] of caches()) if (cache.told.value > 0) yield [identity(cache), cache.told.value]
  })
  registry.read(
    'apiserver_longrunning_requests',
    'gauge',
    'Requests that last until their client ends them.',
    ['verb', 'group', 'version', 'resource', 'component'],
    function* () {
      for (const [, cache] of caches()) if (cache.watchers > 0) yield [['WATCH', ...identity(cache), 'apiserver'], cache.watchers]
    },
  )
  const kinds = ['readOnly', 'mutating'] as const
  registry.read('apiserver_current_inflight_requests', 'gauge', 'Requests that are being worked on.', ['request_kind'], () =>
    kinds.map((kind) => [[kind], inFlight().counts(kind).running]),
  )
  registry.read('apiserver_current_inqueue_requests', 'gauge', 'Requests that wait for their turn.', ['request_kind'], () =>
    kinds.map((kind) => [[kind], inFlight().counts(kind).waiting]),
  )
  const size = registry.gauge('apiserver_storage_size_bytes', 'Bytes of the store.', ['storage_cluster_id'])
  return async () => size.of('etcd-0').set(await store.size())
}

const nameOf = ({ resource }: ResourceCache) => (resource.group ? `${resource.plural}.${resource.group}` : resource.plural)
