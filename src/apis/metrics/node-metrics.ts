import type { StoredMeta } from '../../machinery/object.ts'
import { defineResource } from '../define-resource.ts'
import { usageColumns } from './usage-columns.ts'

export type Usage = Record<string, string>

export interface NodeMetrics {
  apiVersion?: string
  kind?: string
  metadata: StoredMeta
  /** End of the window, in which the usage was measured. */
  timestamp: string
  window: string
  usage: Usage
}

/** Measured, not stored. */
export const NodeMetrics = defineResource<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  plural: 'nodes',
  singular: '',
  namespaced: false,
  model: 'V1beta1NodeMetrics',
  verbs: ['get', 'list'],
  virtual: true,
  columns: usageColumns<NodeMetrics>(({ usage }) => usage),
})
