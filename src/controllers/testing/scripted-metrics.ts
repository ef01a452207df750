/** Answers the metrics APIs as a test says, in front of a server that serves none. */
import type { TransportRequest, TransportResponse } from '../../client/transport.ts'
import { timestamp } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { parseLabelSelector } from '../../machinery/selectors.ts'
import type { Bench } from './bench.ts'

export class ScriptedMetrics {
  /** What each container of a pod uses; undefined: nothing is known of the pod. */
  usage: (pod: V1Pod) => Record<string, string> | undefined = () => undefined
  /** Answers of other paths, by path. */
  readonly paths = new Map<string, unknown>()
  served = true
  asked = 0
  readonly #bench: Bench
  readonly #pods: () => V1Pod[]
  readonly #selected: (selector: string) => V1Pod[] | undefined

  /** `selected` finds the pods of a selector at once, where there are many. */
  constructor(bench: Bench, pods: () => V1Pod[], selected: (selector: string) => V1Pod[] | undefined = () => undefined) {
    this.#bench = bench
    this.#pods = pods
    this.#selected = selected
    bench.transport.intercept = (request) => this.#answer(request)
  }

  #answer({ method, path, query }: TransportRequest): TransportResponse | undefined {
    if (method !== 'GET') return undefined
    const other = this.paths.get(path)
    if (other !== undefined) return { status: 200, headers: {}, object: other }
    const namespace = /^\/apis\/metrics\.k8s\.io\/v1beta1\/namespaces\/([^/]+)\/pods$/.exec(path)?.[1]
    if (namespace === undefined || !this.served) return undefined
    this.asked++
    const selector = parseLabelSelector(String(query?.labelSelector ?? ''))
    const items = (this.#selected(String(query?.labelSelector ?? '')) ?? this.#pods())
      .filter(({ metadata }) => metadata.namespace === namespace && selector.matches(metadata.labels))
      .flatMap((pod) => {
        const usage = this.usage(pod)
        const { name, labels } = pod.metadata
        const times = { timestamp: timestamp(this.#bench.clock.now()), window: '15s' }
        return usage ? [{ metadata: { name, namespace, labels }, ...times, containers: pod.spec.containers.map((one) => ({ name: one.name, usage })) }] : []
      })
    return { status: 200, headers: {}, object: { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items } }
  }
}
