/** How long one look at a thousand autoscalers takes: read the scale and the metrics of each, decide, write what changes. */
import { startControllers } from '../../src/client/controller-runner.ts'
import { Deployment, HorizontalPodAutoscaler, Pod } from '../../src/client/resources.ts'
import { horizontalPodAutoscalerController } from '../../src/controllers/horizontal-pod-autoscaler.ts'
import { Bench } from '../../src/controllers/testing/bench.ts'
import { ScriptedMetrics } from '../../src/controllers/testing/scripted-metrics.ts'
import { timestamp } from '../../src/machinery/clock.ts'
import type { V1Deployment, V1Pod, V2HorizontalPodAutoscaler } from '../../src/machinery/schema/generated/types.ts'
import type { SkiffMeasure } from '../measure.ts'
import { quantile } from '../statistics.ts'

const autoscalers = 1000
const podsEach = 3
const rounds = 5
const periodMs = 15_000

export const autoscalerRound: SkiffMeasure = {
  name: 'autoscalers',
  needs: 'skiff',
  summary: 'one look at a thousand autoscalers',
  async run() {
    const bench = await Bench.start()
    const pods = new Map<string, V1Pod[]>()
    const metrics = new ScriptedMetrics(
      bench,
      () => [...pods.values()].flat(),
      (selector) => pods.get(selector.replace('app=', '')),
    )
    let milli = 50
    metrics.usage = () => ({ cpu: `${milli}m` })
    for (let number = 0; number < autoscalers; number++) pods.set(`app-${number}`, await make(bench, `app-${number}`))
    const running = bench.runWith((context) => startControllers([horizontalPodAutoscalerController()], context))
    const round = async () => {
      const asked = metrics.asked
      const start = performance.now()
      await bench.settle(periodMs)
      if (metrics.asked - asked < autoscalers) throw new Error(`only ${metrics.asked - asked} of ${autoscalers} autoscalers were looked at`)
      return performance.now() - start
    }
    await bench.settle(100)
    await round()
    const steady: number[] = []
    for (let count = 0; count < rounds; count++) steady.push(await round())
    milli = 100
    const scaling = await round()
    await running.stop()
    await bench.stop()
    const how = `${autoscalers} autoscalers with ${podsEach} pods each, API server and controller in one process, in memory`
    return [
      { what: 'one look at 1,000 autoscalers at rest, p50', value: quantile(steady, 0.5) / 1000, unit: 's', how, goal: { atMost: 1 } },
      { what: 'one look at 1,000 autoscalers that all scale', value: scaling / 1000, unit: 's', how },
    ]
  },
}

async function make({ client, clock }: Bench, app: string): Promise<V1Pod[]> {
  const at = { namespace: 'default', name: app }
  const containers = [{ name: 'main', image: 'x', resources: { requests: { cpu: '100m' } } }]
  const template = { metadata: { labels: { app } }, spec: { containers } }
  const made = await client.create(Deployment, {
    metadata: at,
    spec: { replicas: podsEach, selector: { matchLabels: { app } }, template },
  } as unknown as V1Deployment)
  await client.updateStatus(Deployment, { ...made, status: { ...made.status, replicas: podsEach } })
  const metric = { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }
  const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: app }, minReplicas: 1, maxReplicas: 10, metrics: [metric] }
  await client.create(HorizontalPodAutoscaler, { metadata: at, spec } as V2HorizontalPodAutoscaler)
  const long = timestamp(clock.now() - 3_600_000)
  const pods: V1Pod[] = []
  for (let number = 0; number < podsEach; number++) {
    const pod = await client.create(Pod, { metadata: { ...at, name: `${app}-${number}`, labels: { app } }, spec: { containers } })
    const status = { phase: 'Running', startTime: long, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: long }] }
    pods.push(await client.updateStatus(Pod, { ...pod, status }))
  }
  return pods
}
