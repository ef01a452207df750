import { kubernetesVersion } from '../apiserver/health/version.ts'
import { addBuildInfo, addProcessMetrics } from '../machinery/metrics/process-metrics.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'

/** A component's own registry, which tells already what all components tell: their version, and what the process uses. */
export function componentMetrics(): MetricRegistry {
  const metrics = new MetricRegistry()
  addProcessMetrics(metrics)
  addBuildInfo(metrics, kubernetesVersion)
  return metrics
}
