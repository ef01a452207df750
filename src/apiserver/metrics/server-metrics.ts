/** What an API server tells of itself beside its requests: what it holds, whom it serves, how much is under way. */
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { Store } from '../../store/store.ts'
import type { InFlight } from '../pipeline/in-flight.ts'
import type { ListCounts } from '../watch-cache/cache-counts.ts'
import { type ResourceCache, windowSize } from '../watch-cache/resource-cache.ts'

export interface ServerMetricsSources {
  store: Store
  caches(): Iterable<[string, ResourceCache]>
  inFlight(): InFlight
  /** Up to which all caches know the store. */
  revision(): number
}

/** Returns what brings the values that can be known only by asking. */
export function addServerMetrics(registry: MetricRegistry, { store, caches, inFlight, revision }: ServerMetricsSources): () => Promise<void> {
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
    for (const [, cache] of caches()) if (cache.counts.told > 0) yield [identity(cache), cache.counts.told]
  })
  const ofCaches = (name: string, type: 'counter' | 'gauge', help: string, read: (cache: ResourceCache) => number, more: [string, string][] = []) =>
    registry.read(name, type, help, ['group', 'resource', ...more.map(([label]) => label)], function* () {
      for (const [, cache] of caches()) yield [[cache.resource.group, cache.resource.plural, ...more.map(([, value]) => value)], read(cache)]
    })
  ofCaches('apiserver_watch_cache_events_received_total', 'counter', 'Changes that the store told of.', ({ counts }) => counts.received)
  // Each is handed on as it comes.
  ofCaches('apiserver_watch_cache_events_dispatched_total', 'counter', 'Changes that were handed on to watches.', ({ counts }) => counts.received)
  ofCaches('apiserver_watch_cache_initializations_total', 'counter', 'Times that all objects were read from the store.', ({ counts }) => counts.loads)
  ofCaches('apiserver_init_events_total', 'counter', 'Objects that were read from the store when all were.', ({ counts }) => counts.loaded)
  ofCaches('apiserver_watch_cache_resource_version', 'gauge', 'The revision up to which the cache knows all.', () => revision() % 1e15)
  ofCaches('watch_cache_capacity', 'gauge', 'Changes that watches can go back to without the store.', () => windowSize)
  ofCaches('apiserver_terminated_watchers_total', 'counter', 'Watches that ended because their client did not keep up.', ({ counts }) => counts.overflowed)
  const lists = (name: string, help: string, read: (counts: ListCounts) => number) => {
    ofCaches(
      `apiserver_cache_list_${name}`,
      'counter',
      `${help} from the cache.`,
      ({ counts }) => read(counts.lists.cache),
      name === 'returned_objects_total' ? [] : [['index', '']],
    )
    ofCaches(`apiserver_storage_list_${name}`, 'counter', `${help} from the store.`, ({ counts }) => read(counts.lists.store))
  }
  lists('total', 'Lists', ({ total }) => total)
  lists('fetched_objects_total', 'Objects that were read for lists', ({ fetched }) => fetched)
  lists('returned_objects_total', 'Objects in lists', ({ returned }) => returned)
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
