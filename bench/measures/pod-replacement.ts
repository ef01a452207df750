/** A Pod of a Deployment is killed: from its deletion to the moment that a watch tells of another one that is Ready. */
import { readdirSync, readFileSync } from 'node:fs'
import { Deployment, Pod } from '../../src/client/resources.ts'
import type { V1Pod } from '../../src/machinery/schema/generated/types.ts'
import type { BenchCluster } from '../bench-cluster.ts'
import { CannotMeasure, type ClusterMeasure, type Result } from '../measure.ts'
import { median, quantile } from '../statistics.ts'
import { image } from './pod-start.ts'

const replicas = 3
const rounds = 10
const patienceMs = 30_000
const app = 'pod-replacement'

const deployment = (namespace: string) => ({
  metadata: { name: app, namespace },
  spec: {
    replicas,
    selector: { matchLabels: { app } },
    template: {
      metadata: { labels: { app } },
      spec: {
        containers: [
          {
            name: 'main',
            image,
            imagePullPolicy: 'IfNotPresent',
            command: ['sh', '-c', 'echo ready > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'],
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
})

const isReady = ({ metadata, status }: V1Pod) =>
  metadata.deletionTimestamp === undefined && status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')

/** The Deployment's Pods as a watch tells them. */
class Replicas {
  readonly #pods = new Map<string, V1Pod>()
  readonly #stop = new AbortController()
  #changed = () => {}

  constructor({ client, namespace }: BenchCluster, resourceVersion: string) {
    const follow = async () => {
      for await (const event of client.watch(Pod, { namespace, labelSelector: `app=${app}`, resourceVersion, signal: this.#stop.signal })) {
        if (event.type === 'ERROR') throw new Error('the watch of the Pods ended')
        const { uid } = event.object.metadata
        if (event.type === 'DELETED') this.#pods.delete(uid)
        else this.#pods.set(uid, event.object)
        this.#changed()
      }
    }
    follow().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) console.error('bench: the Pods are no longer followed', error)
    })
  }

  ready(): V1Pod[] {
    return [...this.#pods.values()].filter(isReady)
  }

  /** Resolves as soon as the watch has told what makes it so. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const end = performance.now() + patienceMs
    while (!holds()) {
      if (performance.now() > end) throw new CannotMeasure(`${what}: not within ${patienceMs / 1000} s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  stop(): void {
    this.#stop.abort(new Error('measured'))
  }
}

/** Processes of this machine in the Pod's cgroups. */
function processesOf({ metadata }: V1Pod): number[] {
  const names = [metadata.uid, metadata.uid.replaceAll('-', '_')]
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
        return names.some((name) => groups.includes(name))
      } catch {
        // It has just ended.
        return false
      }
    })
}

export const podReplacement: ClusterMeasure = {
  name: 'replace',
  needs: 'cluster',
  summary: `a Pod of a Deployment of ${replicas} is killed, until another is Ready in its place`,
  async run(cluster) {
    const { client, namespace } = cluster
    const { metadata } = await client.list(Pod, { namespace })
    const pods = new Replicas(cluster, metadata.resourceVersion ?? '')
    try {
      await client.create(Deployment, deployment(namespace))
      const replace = async (kill: (pod: V1Pod) => Promise<void>): Promise<number> => {
        await pods.until(`${replicas} Pods of ${image} are Ready`, () => pods.ready().length === replicas)
        const before = new Set(pods.ready().map((pod) => pod.metadata.uid))
        const [victim] = pods.ready()
        if (!victim) throw new CannotMeasure('no Pod is there')
        const started = performance.now()
        await kill(victim)
        await pods.until('another Pod is Ready', () => pods.ready().some((pod) => !before.has(pod.metadata.uid)))
        return (performance.now() - started) / 1000
      }
      const forced: number[] = []
      for (let round = 0; round < rounds; round++) forced.push(await replace((pod) => client.delete(Pod, pod.metadata, { gracePeriodSeconds: 0 })))
      const killed: number[] = []
      for (let round = 0; round < rounds && cluster.processes.length > 0; round++)
        killed.push(
          await replace(async (pod) => {
            for (const pid of processesOf(pod)) process.kill(pid, 'SIGKILL')
            await client.delete(Pod, pod.metadata)
          }),
        )
      const rows = (what: string, times: readonly number[], how: string): Result[] =>
        times.length === 0
          ? []
          : [
              { what: `${what}, p50`, value: median(times), unit: 's', how, goal: { atMost: 2 } },
              { what: `${what}, worst`, value: quantile(times, 1), unit: 's', how, goal: { atMost: 2 } },
            ]
      const of = `Deployment of ${replicas}, readiness by HTTP each second, ${rounds} times, by a watch`
      return [
        ...rows('Pod deleted by force: replaced and Ready', forced, `grace 0; ${of}`),
        ...rows('Pod whose processes are killed: replaced and Ready', killed, `SIGKILL, then deleted; ${of}`),
      ]
    } finally {
      pods.stop()
      await client.delete(Deployment, { name: app, namespace }).catch(() => {})
    }
  },
}
