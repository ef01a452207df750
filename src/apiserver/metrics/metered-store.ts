/** A store whose requests are counted and timed, under the names that an API server over etcd has. */
import type { Clock } from '../../machinery/clock.ts'
import { doubled, type HistogramSeries, type MetricRegistry, type Series } from '../../machinery/metrics/registry.ts'
import type { Store } from '../../store/store.ts'

interface Counted {
  total: Series
  failed: Series
  took: HistogramSeries
}

/** `pods` of `/registry/pods/default/web`; the group of kinds that are defined by objects. */
const typeOf = (key: string): string => key.split('/')[2] ?? ''

export function meteredStore(store: Store, clock: Clock, registry: MetricRegistry): Store {
  const labels = ['operation', 'type']
  const total = registry.counter('etcd_requests_total', 'Requests to the store, by operation and kind of object.', labels)
  const failed = registry.counter('etcd_request_errors_total', 'Requests to the store that failed.', labels)
  const took = registry.histogram('etcd_request_duration_seconds', 'Seconds that the store took to answer.', labels, [
    0.005,
    ...doubled(0.025, 6),
    1,
    1.25,
    1.5,
    2,
    4,
    8,
    15,
    30,
    60,
  ])
  const known = new Map<string, Counted>()
  const countedOf = (operation: string, key: string): Counted => {
    const type = typeOf(key)
    const id = `${operation} ${type}`
    let counted = known.get(id)
    if (!counted) {
      counted = { total: total.of(operation, type), failed: failed.of(operation, type), took: took.of(operation, type) }
      known.set(id, counted)
    }
    return counted
  }
  async function timed<T>(operation: string, key: string, work: () => Promise<T>): Promise<T> {
    const counted = countedOf(operation, key)
    const start = clock.monotonic()
    counted.total.add()
    try {
      return await work()
    } catch (error) {
      counted.failed.add()
      throw error
    } finally {
      counted.took.observe((clock.monotonic() - start) / 1000)
    }
  }
  return {
    revision: () => store.revision(),
    get: (key, revision) => timed('get', key, () => store.get(key, revision)),
    range: (prefix, options) => timed('list', prefix, () => store.range(prefix, options)),
    count: (prefix) => timed('count', prefix, () => store.count(prefix)),
    put: (key, value, expected) => timed(expected === 0 ? 'create' : 'update', key, () => store.put(key, value, expected)),
    delete: (key, expected) => timed('delete', key, () => store.delete(key, expected)),
    watch: (prefix, options) => store.watch(prefix, options),
    compact: (revision) => store.compact(revision),
    compactedRevision: () => store.compactedRevision(),
    size: () => store.size(),
    close: () => store.close(),
  }
}
