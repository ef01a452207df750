/**
 * The metrics server: asks each node's kubelet what its pods use, keeps the last two answers, and tells from them
 * what nodes and pods use now. It knows the API and the kubelets, nothing else.
 */
import type { NodeMetrics } from '../apis/metrics/node-metrics.ts'
import type { PodMetrics } from '../apis/metrics/pod-metrics.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { Node, Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { StoredMeta } from '../machinery/object.ts'
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import { type KubeletCredentials, KubeletScraper } from './kubelet-scraper.ts'
import type { NodeSamples } from './resource-samples.ts'
import { durationText, type Measured, measure } from './usage.ts'

export interface MetricsServerOptions {
  kubelet: KubeletCredentials
  /** Between two questions to a kubelet; 15 s when absent. */
  resolutionMs?: number
  /** Kubelets asked at the same time; 50 when absent. */
  parallel?: number
  /** In place of asking the kubelet, where it gives something. */
  scrape?(node: V1Node): Promise<NodeSamples> | undefined
}

export interface MetricsServer extends Component {
  /** Whether every node was asked once. */
  readonly ready: boolean
  /** Those that there is something to tell of, by name. */
  nodes(): NodeMetrics[]
  node(name: string): NodeMetrics | undefined
  /** Of those that `selects` alone, which is asked before anything is computed. */
  pods(namespace?: string, selects?: (pod: V1Pod) => boolean): PodMetrics[]
  pod(namespace: string, name: string): PodMetrics | undefined
}

interface Kept {
  last: NodeSamples | undefined
  before: NodeSamples | undefined
}

export function startMetricsServer(
  { informers, clock, log, metrics: registry = new MetricRegistry() }: ComponentContext,
  options: MetricsServerOptions,
): MetricsServer {
  const { resolutionMs = 15_000, parallel = 50 } = options
  const scraper = new KubeletScraper(options.kubelet, clock)
  const scrape = (node: V1Node) => options.scrape?.(node) ?? scraper.scrape(node)
  const nodes = informers.informer(Node)
  const pods = informers.informer(Pod)
  const kept = new Map<string, Kept>()
  const asked = registry.counter('metrics_server_kubelet_request_total', 'Questions to kubelets, by whether they were answered.', ['success'])
  const took = registry.histogram('metrics_server_kubelet_request_duration_seconds', 'Seconds that a kubelet took to answer.')
  const rounds = registry.histogram('metrics_server_manager_tick_duration_seconds', 'Seconds until all kubelets were asked.').of()
  registry.read('metrics_server_storage_points', 'gauge', 'What there are samples of.', ['type'], () => {
    const last = [...kept.values()].flatMap(({ last }) => last ?? [])
    const containers = last.flatMap(({ pods: found }) => [...found.values()].map(({ size }) => size)).reduce((sum, size) => sum + size, 0)
    return [
      [['node'], last.filter(({ node }) => node).length],
      [['container'], containers],
    ]
  })
  let ready = false
  let going: Promise<void> | undefined
  let stopped = false

  async function ask(node: V1Node): Promise<void> {
    const { name } = node.metadata
    const known = kept.get(name)
    let last: NodeSamples | undefined
    const start = clock.monotonic()
    try {
      last = await scrape(node)
      asked.of('true').add()
    } catch (error) {
      asked.of('false').add()
      if (!stopped) log.warn('a kubelet could not be asked', { node: name, error: error instanceof Error ? error.message : String(error) })
    }
    took.of().observe((clock.monotonic() - start) / 1000)
    // What a node said before it fell silent is no more what it uses, but is good to compare with.
    kept.set(name, { last, before: known?.last ?? known?.before })
  }

  async function askAll(): Promise<void> {
    const start = clock.monotonic()
    const waiting = nodes.list()
    const names = new Set(waiting.map(({ metadata }) => metadata.name))
    for (const name of kept.keys()) if (!names.has(name)) kept.delete(name)
    const worker = async () => {
      for (let node = waiting.pop(); node && !stopped; node = waiting.pop()) await ask(node)
    }
    await Promise.all(Array.from({ length: Math.min(parallel, waiting.length) }, worker))
    rounds.observe((clock.monotonic() - start) / 1000)
    ready = true
  }

  const begin = () => {
    if (stopped || going) return
    going = askAll().finally(() => {
      going = undefined
    })
  }
  const timer = clock.every(resolutionMs, begin)
  const abort = new AbortController()
  // The first answers are there to compare the next ones with.
  const first = Promise.all([nodes.whenSynced(abort.signal), pods.whenSynced(abort.signal)]).then(begin, () => {})

  const nodeMetrics = (node: V1Node): NodeMetrics | undefined => {
    const { last, before } = kept.get(node.metadata.name) ?? {}
    const measured = last?.node && measure(last.node, before?.node, resolutionMs)
    return measured && { metadata: metaOf(node, clock.now()), ...timesOf(measured), usage: measured.usage }
  }

  const podMetrics = (pod: V1Pod): PodMetrics | undefined => {
    const { name, namespace } = pod.metadata
    const { last, before } = kept.get(pod.spec.nodeName ?? '') ?? {}
    const samples = last?.pods.get(`${namespace}/${name}`)
    if (!samples || samples.size === 0) return undefined
    const earlier = before?.pods.get(`${namespace}/${name}`)
    const containers = [...samples].map(([container, sample]) => ({ container, measured: measure(sample, earlier?.get(container), resolutionMs) }))
    // One container without a measure, and the sum would be wrong.
    if (!containers.every((one): one is { container: string; measured: Measured } => one.measured !== undefined)) return undefined
    const earliest = containers.map(({ measured }) => measured).reduce((a, b) => (b.at < a.at ? b : a))
    return {
      metadata: metaOf(pod, clock.now()),
      ...timesOf(earliest),
      containers: containers.map(({ container, measured }) => ({ name: container, usage: measured.usage })),
    }
  }

  const some = <T>(one: T | undefined): one is T => one !== undefined
  return {
    name: 'metrics-server',
    get ready() {
      return ready
    },
    nodes: () => nodes.list().map(nodeMetrics).filter(some).sort(byName),
    node: (name) => {
      const node = nodes.get(name)
      return node && nodeMetrics(node)
    },
    pods: (namespace, selects = () => true) =>
      (namespace ? pods.inNamespace(namespace) : pods.list()).filter(selects).map(podMetrics).filter(some).sort(byName),
    pod: (namespace, name) => {
      const pod = pods.get(`${namespace}/${name}`)
      return pod && podMetrics(pod)
    },
    async stop() {
      stopped = true
      abort.abort(new Error('the metrics server was stopped'))
      timer.cancel()
      scraper.close()
      await first
      await going
    },
  }
}

const byName = (a: { metadata: StoredMeta }, b: { metadata: StoredMeta }): number => {
  const [x, y] = [a, b].map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`) as [string, string]
  return x < y ? -1 : x > y ? 1 : 0
}

const timesOf = ({ at, windowMs }: Measured) => ({ timestamp: timestamp(at), window: durationText(windowMs) })

function metaOf({ metadata }: V1Node | V1Pod, now: number): StoredMeta {
  const { name, namespace, labels } = metadata
  return { name, ...(namespace ? { namespace } : {}), creationTimestamp: timestamp(now), ...(labels ? { labels } : {}) } as StoredMeta
}
