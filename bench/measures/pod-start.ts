/** From the moment that a watch tells a Pod's node to the moment that it tells that the Pod runs. */
import { Pod } from '../../src/client/resources.ts'
import type { New } from '../../src/machinery/object.ts'
import type { V1Pod } from '../../src/machinery/schema/generated/types.ts'
import type { BenchCluster } from '../bench-cluster.ts'
import { CannotMeasure, type ClusterMeasure, type Result } from '../measure.ts'
import { quantile } from '../statistics.ts'

export const image = 'busybox:1.35'
const oneByOne = 20
const atOnce = 10
const patienceMs = 30_000

interface Times {
  scheduled?: number
  running?: number
}

const pod = (namespace: string, name: string): New<V1Pod> => ({
  metadata: { name, namespace, labels: { bench: 'pod-start' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
  },
})

class PodTimes {
  readonly #times = new Map<string, Times>()
  readonly #stop = new AbortController()
  #changed = () => {}

  constructor({ client, namespace }: BenchCluster, resourceVersion: string) {
    const follow = async () => {
      const options = { namespace, labelSelector: 'bench=pod-start', resourceVersion, signal: this.#stop.signal }
      for await (const event of client.watch(Pod, options)) if (event.type !== 'ERROR') this.#note(event.object)
    }
    follow().catch(() => {})
  }

  #note({ metadata, spec, status }: V1Pod): void {
    const times = this.#times.get(metadata?.name ?? '') ?? {}
    this.#times.set(metadata?.name ?? '', times)
    if (spec?.nodeName) times.scheduled ??= performance.now()
    if (status?.phase === 'Running') times.running ??= performance.now()
    this.#changed()
  }

  /** Milliseconds from scheduled to running, once all of these run. */
  async of(names: string[]): Promise<number[]> {
    const end = performance.now() + patienceMs
    const isRunning = (name: string) => this.#times.get(name)?.running !== undefined
    while (!names.every(isRunning)) {
      if (performance.now() > end) throw new CannotMeasure(`a Pod of ${image} did not run within ${patienceMs / 1000} s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return names.map((name) => {
      const { scheduled = Number.NaN, running = Number.NaN } = this.#times.get(name) ?? {}
      return running - scheduled
    })
  }

  stop() {
    this.#stop.abort(new Error('measured'))
  }
}

export const podStart: ClusterMeasure = {
  name: 'pods',
  needs: 'cluster',
  summary: `Pods of ${image}, scheduled to running: one after another, and at once`,
  async run(cluster) {
    const { client, namespace } = cluster
    const { metadata } = await client.list(Pod, { namespace })
    const times = new PodTimes(cluster, metadata.resourceVersion ?? '')
    try {
      const single: number[] = []
      for (let number = 0; number < oneByOne; number++) {
        const name = `single-${number}`
        await client.create(Pod, pod(namespace, name))
        single.push(...(await times.of([name])))
        await client.delete(Pod, { name, namespace })
      }
      const names = Array.from({ length: atOnce }, (_, number) => `together-${number}`)
      const started = performance.now()
      await Promise.all(names.map((name) => client.create(Pod, pod(namespace, name))))
      const together = await times.of(names)
      const allMs = performance.now() - started
      await Promise.all(names.map((name) => client.delete(Pod, { name, namespace })))
      const row = (what: string, value: number, how: string, goal?: Result['goal']): Result => ({ what, value, unit: 'ms', how, ...(goal ? { goal } : {}) })
      const alone = `${oneByOne} Pods of ${image}, one after another, by a watch`
      const all = `${atOnce} Pods created at once, by a watch`
      return [
        row('pod start p50', quantile(single, 0.5), alone, { atMost: 300 }),
        row('pod start p95', quantile(single, 0.95), alone),
        row(`pod start p50, ${atOnce} at once`, quantile(together, 0.5), all),
        row(`pod start p95, ${atOnce} at once`, quantile(together, 0.95), all),
        row(`${atOnce} Pods, first create to last running`, allMs, all),
      ]
    } finally {
      times.stop()
    }
  },
}
