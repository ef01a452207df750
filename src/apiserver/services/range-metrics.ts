/** How much of the ranges of Services is taken, under upstream's names. */
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { Allocator } from './allocator.ts'
import type { Ranges } from './service-allocation.ts'

export function addRangeMetrics(registry: MetricRegistry, { addresses, addressAllocator, portAllocator }: Ranges): void {
  add(registry, 'clusterip', 'ips', addressAllocator, { cidr: addresses.cidr })
  add(registry, 'nodeport', 'ports', portAllocator, {})
}

function add(
  registry: MetricRegistry,
  kind: string,
  what: 'ips' | 'ports',
  allocator: Allocator<string> | Allocator<number>,
  labels: Readonly<Record<string, string>>,
): void {
  const [names, values] = [Object.keys(labels), Object.values(labels)]
  const name = (end: string) => `kube_apiserver_${kind}_allocator_${end}`
  registry.read(name(`allocated_${what}`), 'gauge', 'Those of the range that Services have.', names, () => [[values, allocator.taken]])
  registry.read(name(`available_${what}`), 'gauge', 'Those of the range that are free.', names, () => [[values, allocator.free]])
  const counter = (end: string, help: string, counts: Readonly<Record<string, number>>) =>
    registry.read(name(end), 'counter', help, [...names, 'scope'], () => Object.entries(counts).map(([scope, count]) => [[...values, scope], count]))
  counter('allocation_total', 'Times that one was given.', allocator.given)
  counter('allocation_errors_total', 'Times that none could be given, or another had it.', allocator.refused)
}
