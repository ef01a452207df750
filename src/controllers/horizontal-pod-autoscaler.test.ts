import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Component } from '../client/component.ts'
import { startControllers } from '../client/controller-runner.ts'
import { Deployment, HorizontalPodAutoscaler, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import type { V1Deployment, V1Pod, V2HorizontalPodAutoscaler, V2HorizontalPodAutoscalerSpec, V2MetricSpec } from '../machinery/schema/generated/types.ts'
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler.ts'
import { Bench } from './testing/bench.ts'
import { ScriptedMetrics } from './testing/scripted-metrics.ts'

const cpu = (averageUtilization: number): V2MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } })
const at = { namespace: 'default', name: 'web' }

describe('the autoscaler', () => {
  let bench: Bench
  let metrics: ScriptedMetrics
  let running: Component | undefined
  let pods: V1Pod[]
  let registry: MetricRegistry

  beforeEach(async () => {
    bench = await Bench.start()
    pods = []
    metrics = new ScriptedMetrics(bench, () => pods)
  })
  afterEach(async () => {
    await running?.stop()
    await bench.stop()
  })

  /** Pods that have been ready for long, in place of the controllers that would make them. */
  async function havePods(count: number, change: (pod: V1Pod, index: number) => void = () => {}): Promise<void> {
    for (const pod of pods) await bench.client.delete(Pod, { namespace: 'default', name: pod.metadata.name }, { gracePeriodSeconds: 0 })
    pods = []
    for (let i = 0; i < count; i++) {
      const containers = [{ name: 'main', image: 'x', resources: { requests: { cpu: '100m', memory: '64Mi' } } }]
      const made = await bench.client.create(Pod, { metadata: { ...at, name: `web-${i}`, labels: { app: 'web' } }, spec: { containers } })
      const long = timestamp(bench.clock.now() - 3_600_000)
      const draft: V1Pod = {
        ...made,
        status: { phase: 'Running', startTime: long, conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: long }] },
      }
      change(draft, i)
      pods.push(await bench.client.updateStatus(Pod, draft))
    }
    const deployment = await bench.client.find(Deployment, at)
    if (deployment) await bench.client.updateStatus(Deployment, { ...deployment, status: { ...deployment.status, replicas: count } })
  }

  async function begin(replicas: number, spec: Partial<V2HorizontalPodAutoscalerSpec> = {}): Promise<void> {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'x' }] } }
    await bench.client.create(Deployment, { metadata: at, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template } } as unknown as V1Deployment)
    await havePods(replicas)
    const whole = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 10, metrics: [cpu(50)], ...spec }
    await bench.client.create(HorizontalPodAutoscaler, { metadata: at, spec: whole } as V2HorizontalPodAutoscaler)
    registry = new MetricRegistry()
    running = bench.runWith((context) => startControllers([horizontalPodAutoscalerController()], { ...context, metrics: registry }))
    await bench.settle()
  }
  const size = async () => (await bench.client.get(Deployment, at)).spec.replicas
  const autoscaler = () => bench.client.get(HorizontalPodAutoscaler, at)
  const conditions = async () =>
    Object.fromEntries(((await autoscaler()).status?.conditions ?? []).map(({ type, status, reason }) => [type, `${status} ${reason}`]))
  const uses = (milli: number) => {
    metrics.usage = () => ({ cpu: `${milli}m`, memory: '64Mi' })
  }
  const round = () => bench.settle(15_000)

  it('scales up in proportion and says so', async () => {
    uses(80)
    await begin(3)
    assert.equal(await size(), 5)
    assert.deepEqual(await conditions(), {
      AbleToScale: 'True SucceededRescale',
      ScalingActive: 'True ValidMetricFound',
      ScalingLimited: 'False DesiredWithinRange',
    })
    const { status } = await autoscaler()
    assert.deepEqual(status?.currentMetrics, [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 80, averageValue: '80m' } } }])
    assert.deepEqual([status?.currentReplicas, status?.desiredReplicas, typeof status?.lastScaleTime], [3, 5, 'string'])
    await bench.settle(1000)
    assert.deepEqual(await bench.events(), ['Normal SuccessfulRescale New size: 5; reason: cpu resource utilization (percentage of request) above target'])
  })

  it('tells what it did under the names that dashboards know', async () => {
    uses(80)
    await begin(3)
    const families = parseStrictly(registry.text())
    const of = (name: string) =>
      families.get(`horizontal_pod_autoscaler_controller_${name}`)?.samples.map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`.trim())
    assert.deepEqual(of('reconciliations_total'), ['scale_up none 1'])
    assert.deepEqual(of('metric_computation_total'), ['scale_up none Resource 1'])
    assert.deepEqual([of('desired_replicas'), of('num_horizontal_pod_autoscalers')], [['default web 5'], ['1']])
    await bench.client.delete(HorizontalPodAutoscaler, at)
    await bench.settle(100)
    assert.ok(!parseStrictly(registry.text()).has('horizontal_pod_autoscaler_controller_desired_replicas'))
  })

  it('keeps to a tolerance of its own in each direction', async () => {
    uses(54)
    const policies = [{ type: 'Pods', value: 9, periodSeconds: 15 }]
    await begin(3, { behavior: { scaleUp: { tolerance: '0.05', policies }, scaleDown: { tolerance: '0.5', stabilizationWindowSeconds: 0, policies } } })
    assert.equal(await size(), 4)
    await havePods(4)
    uses(30)
    for (let i = 0; i < 3; i++) await round()
    assert.equal(await size(), 4)
    uses(20)
    for (let i = 0; i < 3; i++) await round()
    assert.equal(await size(), 2)
  })

  it('lets small differences be, and looks every fifteen seconds', async () => {
    uses(54)
    await begin(3)
    const asked = metrics.asked
    for (let i = 0; i < 4; i++) await round()
    assert.equal(await size(), 3)
    assert.equal(metrics.asked - asked, 4)
  })

  it('scales down only when less was enough for five minutes', async () => {
    uses(50)
    await begin(6)
    uses(10)
    for (let i = 0; i < 18; i++) await round()
    assert.equal(await size(), 6)
    assert.equal((await conditions()).AbleToScale, 'True ScaleDownStabilized')
    for (let i = 0; i < 3; i++) await round()
    assert.equal(await size(), 2)
    await bench.settle(1000)
    assert.ok((await bench.events()).includes('Normal SuccessfulRescale New size: 2; reason: All metrics below target'))
  })

  it('goes no further than its bounds and no faster than twice', async () => {
    uses(500)
    await begin(3)
    assert.equal(await size(), 6)
    assert.equal((await conditions()).ScalingLimited, 'True ScaleUpLimit')
    await havePods(6)
    await round()
    assert.equal(await size(), 10)
    assert.equal((await conditions()).ScalingLimited, 'True TooManyReplicas')
    await bench.client.patch(HorizontalPodAutoscaler, at, 'merge', { spec: { maxReplicas: 4 } })
    await bench.settle(1000)
    assert.equal(await size(), 4)
    assert.ok((await bench.events()).includes('Normal SuccessfulRescale New size: 4; reason: Current number of replicas above Spec.MaxReplicas'))
  })

  it('keeps to the rates and windows of its behavior', async () => {
    uses(500)
    await begin(2, {
      behavior: {
        scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }], selectPolicy: 'Max', stabilizationWindowSeconds: 0 },
        scaleDown: { policies: [{ type: 'Percent', value: 50, periodSeconds: 15 }], selectPolicy: 'Max', stabilizationWindowSeconds: 0 },
      },
    })
    const sizes = [await size()]
    for (let i = 0; i < 5; i++) {
      await havePods((await size()) ?? 0)
      await round()
      sizes.push(await size())
    }
    assert.deepEqual(sizes, [3, 3, 3, 3, 4, 4])
    assert.equal((await conditions()).ScalingLimited, 'True ScaleUpLimit')
    uses(1)
    await round()
    assert.equal(await size(), 2)
    assert.equal((await conditions()).ScalingLimited, 'True ScaleDownLimit')
    await havePods(2)
    await round()
    await round()
    assert.equal(await size(), 1)
    await bench.client.patch(HorizontalPodAutoscaler, at, 'merge', { spec: { behavior: { scaleUp: { selectPolicy: 'Disabled' } } } })
    uses(500)
    for (let i = 0; i < 5; i++) await round()
    assert.equal(await size(), 1)
  })

  it('waits with scaling up for its own window, too', async () => {
    uses(50)
    await begin(2, { behavior: { scaleUp: { stabilizationWindowSeconds: 60, policies: [{ type: 'Pods', value: 9, periodSeconds: 15 }] } } })
    uses(200)
    for (let i = 0; i < 3; i++) await round()
    assert.equal(await size(), 2)
    assert.equal((await conditions()).AbleToScale, 'True ScaleUpStabilized')
    for (let i = 0; i < 2; i++) await round()
    assert.equal(await size(), 8)
  })

  it('takes pods without numbers to use nothing when it grows, and all they ask for when it shrinks', async () => {
    metrics.usage = (pod) => (pod.metadata.name === 'web-3' ? undefined : { cpu: '100m' })
    await begin(4)
    assert.equal(await size(), 6)
    await havePods(6)
    // 20 of 100 for two, 100 for the four unknown ones: more than the target, and so it stays.
    metrics.usage = (pod) => (Number(pod.metadata.name.slice(4)) < 2 ? { cpu: '20m' } : undefined)
    for (let i = 0; i < 25; i++) await round()
    assert.equal(await size(), 6)
  })

  it('does not count the processor time of pods that are not ready yet', async () => {
    uses(10)
    await begin(2)
    const unready = (pod: V1Pod) => {
      pod.status = {
        ...pod.status,
        startTime: timestamp(bench.clock.now()),
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: timestamp(bench.clock.now()) }],
      }
    }
    await havePods(2, (pod, index) => index === 1 && unready(pod))
    metrics.usage = (pod) => ({ cpu: pod.metadata.name === 'web-1' ? '1000m' : '50m' })
    await round()
    assert.equal(await size(), 2)
    await havePods(2, unready)
    await round()
    assert.equal(await size(), 2)
    const condition = (await autoscaler()).status?.conditions?.find(({ type }) => type === 'ScalingActive')
    assert.equal(
      condition?.message,
      'the HPA was unable to compute the replica count: failed to get cpu utilization: did not receive metrics for any targeted pods (pods might be unready)',
    )
  })

  it('goes by the metric that asks for most, and never down while one is missing', async () => {
    uses(20)
    const memory: V2MetricSpec = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '32Mi' } } }
    await begin(2, { metrics: [cpu(50), memory] })
    assert.equal(await size(), 4)
    await havePods(4)
    metrics.usage = () => ({ cpu: '1m' })
    for (let i = 0; i < 25; i++) await round()
    assert.equal(await size(), 4)
    assert.equal((await conditions()).ScalingActive, 'False FailedGetResourceMetric')
  })

  it('scales one container’s usage', async () => {
    uses(100)
    await begin(2, {
      metrics: [{ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'main', target: { type: 'Utilization', averageUtilization: 50 } } }],
    })
    assert.equal(await size(), 4)
    await bench.settle(1000)
    assert.ok((await bench.events())[0]?.endsWith('cpu container resource utilization (percentage of request) above target'))
  })

  it('asks the custom and external metrics APIs, wherever they are served', async () => {
    const custom = '/apis/custom.metrics.k8s.io'
    metrics.paths.set(custom, { kind: 'APIGroup', preferredVersion: { groupVersion: 'custom.metrics.k8s.io/v1beta2' } })
    metrics.paths.set(`${custom}/v1beta2/namespaces/default/pods/*/requests`, {
      items: [0, 1].map((i) => ({ describedObject: { name: `web-${i}` }, value: '30', timestamp: timestamp(bench.clock.now()) })),
    })
    metrics.paths.set(`${custom}/v1beta2/namespaces/default/ingresses.networking.k8s.io/front/hits`, { items: [{ value: '500' }] })
    metrics.paths.set('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue', { items: [{ value: '40' }, { value: '20' }] })
    const pods: V2MetricSpec = { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '20' } } }
    const queue: V2MetricSpec = { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '15' } } }
    const described = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' }
    const hits: V2MetricSpec = { type: 'Object', object: { metric: { name: 'hits' }, describedObject: described, target: { type: 'Value', value: '250' } } }
    await begin(2, { metrics: [pods, queue, hits] })
    assert.equal(await size(), 4)
    assert.deepEqual((await autoscaler()).status?.currentMetrics, [
      { type: 'Pods', pods: { metric: { name: 'requests' }, current: { averageValue: '30' } } },
      { type: 'External', external: { metric: { name: 'queue' }, current: { averageValue: '30' } } },
      { type: 'Object', object: { metric: { name: 'hits' }, describedObject: described, current: { value: '500' } } },
    ])
  })

  it('says why it cannot, and does when it can again', async () => {
    metrics.served = false
    await begin(2)
    await bench.settle(1000)
    const why =
      'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'
    const condition = (await autoscaler()).status?.conditions?.find(({ type }) => type === 'ScalingActive')
    assert.deepEqual([condition?.reason, condition?.message], ['FailedGetResourceMetric', `the HPA was unable to compute the replica count: ${why}`])
    assert.deepEqual((await bench.events()).sort(), [
      `Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
      `Warning FailedGetResourceMetric ${why}`,
    ])
    metrics.served = true
    uses(100)
    await round()
    assert.equal(await size(), 4)
  })

  it('makes what is to be made of answers that are no metrics', async () => {
    const path = '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue'
    const queue: V2MetricSpec = { type: 'External', external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } } }
    metrics.paths.set(path, { items: null })
    await begin(2, { metrics: [queue] })
    const said = async (answer: unknown) => {
      metrics.paths.set(path, answer)
      await round()
      const message = (await autoscaler()).status?.conditions?.find(({ type }) => type === 'ScalingActive')?.message ?? ''
      return message.replace('the HPA was unable to compute the replica count: unable to get external metric default/queue/nil: ', '')
    }
    const unfetched = 'unable to fetch metrics from external metrics API'
    assert.equal(await said({ items: null }), 'no metrics returned from external metrics API')
    assert.equal(await said({ items: 'many' }), `${unfetched}: the answer is not a list of metrics (get queue.external.metrics.k8s.io)`)
    assert.equal(await said({ items: [null] }), `${unfetched}: the answer is not a list of metrics (get queue.external.metrics.k8s.io)`)
    assert.equal(await said(null), `${unfetched}: the answer is not a JSON object (get queue.external.metrics.k8s.io)`)
    assert.match(await said({ items: [{ value: 'many' }] }), /^quantities must match the regular expression/)
    assert.equal(await size(), 2)
    assert.match(await said({ items: [{ metricName: 'queue' }] }), /^the HPA was able to successfully calculate/)
  })

  it('waits for no answer when it is to stop, and tells nothing of that', { timeout: 10_000 }, async () => {
    let answer: (() => void) | undefined
    bench.transport.intercept = ({ path, signal }) => {
      if (!path.startsWith('/apis/metrics.k8s.io/')) return undefined
      return new Promise((_, reject) => {
        answer = () => reject(new Error('late'))
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    }
    await begin(2)
    assert.ok(answer)
    const stopping = running?.stop().then(() => true)
    const stopped = await Promise.race([stopping, bench.settle().then(() => false)])
    answer()
    await stopping
    assert.ok(stopped)
    running = undefined
    assert.deepEqual([(await autoscaler()).status?.conditions, await bench.events()], [undefined, []])
  })

  it('tells of a target that is not there, that sleeps, or that another autoscaler has', async () => {
    uses(100)
    await begin(2)
    await bench.client.patch(HorizontalPodAutoscaler, at, 'merge', { spec: { scaleTargetRef: { name: 'gone' } } })
    await bench.settle(1000)
    assert.equal((await conditions()).AbleToScale, 'False FailedGetScale')
    await bench.client.patch(Deployment, at, 'merge', { spec: { replicas: 0 } })
    await bench.client.patch(HorizontalPodAutoscaler, at, 'merge', { spec: { scaleTargetRef: { name: 'web' } } })
    await bench.settle(1000)
    assert.deepEqual([await size(), (await conditions()).ScalingActive], [0, 'False ScalingDisabled'])
  })

  it('scales no pods that another has, too, be it by another selector; without pods there is no quarrel', async () => {
    uses(100)
    await begin(2)
    const { spec } = await autoscaler()
    const wide = { ...at, name: 'wide' }
    const deployment = await bench.client.get(Deployment, at)
    const template = { ...deployment.spec.template, metadata: { labels: { app: 'web', tier: 'front' } } }
    const selector = { matchExpressions: [{ key: 'app', operator: 'Exists' }] }
    await bench.client.create(Deployment, { metadata: wide, spec: { replicas: 2, selector, template } } as unknown as V1Deployment)
    await bench.client.create(HorizontalPodAutoscaler, { metadata: wide, spec: { ...spec, scaleTargetRef: { ...spec.scaleTargetRef, name: 'wide' } } })
    await round()
    await round()
    const why = 'pods by selector app=web are controlled by multiple HPAs: [default/web default/wide]'
    const condition = (await autoscaler()).status?.conditions?.find(({ type }) => type === 'ScalingActive')
    assert.deepEqual([condition?.reason, condition?.message], ['AmbiguousSelector', why])
    assert.ok((await bench.events()).some((event) => event.startsWith(`Warning FailedComputeMetricsReplicas ${why}`)))
    await havePods(0)
    await round()
    assert.equal((await conditions()).ScalingActive, 'False FailedGetResourceMetric')
    await bench.client.delete(HorizontalPodAutoscaler, wide)
    await havePods(2)
    await round()
    assert.equal((await conditions()).ScalingActive, 'True ValidMetricFound')
  })
})
