/** `/metrics` and `/health-check` of the autoscaler, as upstream's serves them: without encryption, on port 8085. */
import type { RunningAutoscaler } from '../autoscaler/cluster-autoscaler.ts'
import type { Component } from '../client/component.ts'
import { expositionType } from '../machinery/metrics/exposition.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import { type ListenAddress, startHealthServer } from '../network/health-server.ts'

/** Upstream's. */
export const autoscalerPort = 8085

/** The autoscaler with its pages, which go with it. */
export async function withAutoscalerPages(autoscaler: RunningAutoscaler, registry: MetricRegistry, at: ListenAddress): Promise<Component & { port: number }> {
  const health = () => {
    const why = autoscaler.unwell()
    return why === undefined ? { body: 'OK' } : { status: 500, body: `Error: ${why}\n` }
  }
  try {
    const pages = await startHealthServer(at, {
      '/metrics': () => ({ type: expositionType, body: registry.text() }),
      '/health-check': health,
      '/healthz': health,
    })
    return {
      name: autoscaler.name,
      port: pages.port,
      async stop() {
        await pages.close()
        await autoscaler.stop()
      },
    }
  } catch (error) {
    await autoscaler.stop()
    throw error
  }
}
