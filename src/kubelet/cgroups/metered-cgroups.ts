import type { Clock } from '../../machinery/clock.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { Cgroups } from './cgroups.ts'

/** Changes of groups timed, under upstream's name. */
export function meteredCgroups(cgroups: Cgroups, registry: MetricRegistry, clock: Clock): Cgroups {
  const took = registry.histogram('kubelet_cgroup_manager_duration_seconds', 'Seconds that changes of control groups took.', ['operation_type'])
  async function timed<T>(operation: 'create' | 'update' | 'destroy', work: Promise<T>): Promise<T> {
    const start = clock.monotonic()
    try {
      return await work
    } finally {
      took.of(operation).observe((clock.monotonic() - start) / 1000)
    }
  }
  return {
    prepare: (capacity) => timed('create', cgroups.prepare(capacity)),
    // It makes what is missing, and changes what is there: most often the latter.
    ensurePod: (pod) => timed('update', cgroups.ensurePod(pod)),
    removePod: (uid) => timed('destroy', cgroups.removePod(uid)),
    podUids: () => cgroups.podUids(),
  }
}
