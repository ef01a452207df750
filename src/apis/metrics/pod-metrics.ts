import type { StoredMeta } from '../../machinery/object.ts'
import { addQuantities, formatQuantity, parseQuantity } from '../../machinery/quantity.ts'
import { defineResource } from '../define-resource.ts'
import type { Usage } from './node-metrics.ts'
import { usageColumns } from './usage-columns.ts'

export interface ContainerMetrics {
  name: string
  usage: Usage
}

export interface PodMetrics {
  apiVersion?: string
  kind?: string
  metadata: StoredMeta
  timestamp: string
  window: string
  containers: ContainerMetrics[]
}

export const PodMetrics = defineResource<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  plural: 'pods',
  singular: '',
  namespaced: true,
  model: 'V1beta1PodMetrics',
  verbs: ['get', 'list'],
  virtual: true,
  columns: usageColumns<PodMetrics>(podUsage),
})

/** What its containers use together. */
export function podUsage({ containers }: PodMetrics): Usage {
  const sum: Usage = {}
  for (const { usage } of containers)
    for (const [name, amount] of Object.entries(usage))
      sum[name] = formatQuantity(sum[name] === undefined ? parseQuantity(amount) : addQuantities(sum[name], amount))
  return sum
}
