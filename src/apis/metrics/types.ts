/** The types of `metrics.k8s.io/v1beta1`, which the client that the schema is generated from does not know. */
import { apiPackage, quantity } from '../../machinery/schema/facts/api-package.ts'
import type { ModelSchema } from '../../machinery/schema/schema-file.ts'

const string = { type: { kind: 'string' as const } }
const meta = { type: { kind: 'ref' as const, ref: 'V1ObjectMeta' } }
const usage = { type: { kind: 'map' as const, values: { kind: 'string' as const } }, required: true }
const measured = {
  apiVersion: string,
  kind: string,
  metadata: meta,
  timestamp: { type: { kind: 'string' as const, format: 'date-time' }, required: true },
  window: { ...string, required: true },
}

export const metricsModels: Record<string, ModelSchema> = {
  V1beta1ContainerMetrics: { fields: { name: { ...string, required: true }, usage } },
  V1beta1NodeMetrics: { fields: { ...measured, usage } },
  V1beta1PodMetrics: {
    fields: { ...measured, containers: { type: { kind: 'array', items: { kind: 'ref', ref: 'V1beta1ContainerMetrics' } }, required: true } },
  },
}

export const metricsPackage = apiPackage(
  'io.k8s.metrics.pkg.apis.metrics.v1beta1',
  { ContainerMetrics: { usage: quantity }, NodeMetrics: { usage: quantity } },
  'PodMetrics',
)

export const metricsDescriptions: Record<string, Record<string, string>> = {
  V1beta1ContainerMetrics: {
    '': 'What a container uses.',
    name: 'The container, as in the pod.',
    usage: 'Processor time in cores, and memory of the working set.',
  },
  V1beta1NodeMetrics: {
    '': 'What a node uses.',
    timestamp: 'When the window ended.',
    window: 'The time over which the use of processors was measured.',
    usage: 'Processor time in cores, and memory of the working set.',
  },
  V1beta1PodMetrics: {
    '': "What a pod's containers use.",
    timestamp: 'When the window ended.',
    window: 'The time over which the use of processors was measured.',
    containers: 'All containers that run.',
  },
}
