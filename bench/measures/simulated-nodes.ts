/** Pods onto many simulated nodes, created by a client outside: what the API server, the scheduler and so many kubelets reach together. */
import { Pod, ServiceAccount } from '../../src/client/resources.ts'
import { type BenchCluster, openCluster, ownCluster } from '../bench-cluster.ts'
import { runNodeLoad } from '../load/run-load.ts'
import { CannotMeasure, type Result, type SkiffMeasure } from '../measure.ts'
import { type ProcessUse, usedBy } from '../processes.ts'
import { remove, temporaryDirectory, up } from '../skiff.ts'
import { pause, sum } from '../statistics.ts'

const connections = 32

interface Scale {
  name: string
  nodes: number
  pods: number
  /** How long they may take. */
  patienceSeconds: number
  long?: true
  /** Watched at rest for so long, with all pods running. */
  restSeconds: number
  goals: { boundPerSecond?: number; memoryMb?: number }
}

const text = (value: number) => value.toLocaleString('en')

/** When the watch saw the last of so many pods be bound and run. */
class PodCounts {
  readonly #bound = new Set<string>()
  readonly #running = new Set<string>()
  readonly #stop = new AbortController()
  boundAt = Number.NaN
  runningAt = Number.NaN
  failure: unknown

  constructor({ client, namespace }: BenchCluster, resourceVersion: string, pods: number) {
    const follow = async () => {
      const options = { namespace, fieldSelector: 'spec.nodeName!=', resourceVersion, signal: this.#stop.signal }
      for await (const event of client.watch(Pod, options)) {
        if (event.type === 'ERROR') throw new Error(event.object.message)
        const { metadata, status } = event.object
        this.#bound.add(metadata.name)
        if (this.#bound.size === pods) this.boundAt ||= performance.now()
        if (status?.phase === 'Running') this.#running.add(metadata.name)
        if (this.#running.size === pods) this.runningAt ||= performance.now()
      }
    }
    follow().catch((error: unknown) => {
      this.failure = error
    })
  }

  /** Resolves when all run. */
  async done(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000
    while (Number.isNaN(this.runningAt)) {
      if (this.failure) throw this.failure
      if (performance.now() > end) throw new CannotMeasure(`after ${seconds} s only ${this.#bound.size} pods were bound and ${this.#running.size} ran`)
      await pause(50)
    }
  }

  stop(): void {
    this.#stop.abort(new Error('measured'))
  }
}

/** Everything of the load, for {@link scaleMeasure} and for whoever profiles it. */
export async function createPods(cluster: BenchCluster, pods: number, patienceSeconds: number) {
  const { client, namespace, server, ca, token } = cluster
  while (!(await client.find(ServiceAccount, { name: 'default', namespace }))) await pause(50)
  const { metadata } = await client.list(Pod, { namespace, limit: 1 })
  const counts = new PodCounts(cluster, metadata.resourceVersion ?? '', pods)
  try {
    const started = performance.now()
    const load = await runNodeLoad({
      server,
      ca,
      token,
      namespace,
      connections,
      seconds: patienceSeconds,
      requests: pods,
      verb: 'create-pods',
      name: 'pod',
      objects: 1,
    })
    if (load.failed > 0) throw new CannotMeasure(`${load.failed} of ${pods} pods could not be created`)
    await counts.done(patienceSeconds)
    return { createdPerSecond: load.perSecond, boundSeconds: (counts.boundAt - started) / 1000, runningSeconds: (counts.runningAt - started) / 1000 }
  } finally {
    counts.stop()
  }
}

const megabytes = (used: readonly ProcessUse[]) => sum(used.map(({ pssBytes }) => pssBytes)) / 1e6

function scaleMeasure({ name, nodes, pods, patienceSeconds, restSeconds, goals, long }: Scale): SkiffMeasure {
  return {
    name,
    ...(long ? { long } : {}),
    needs: 'skiff',
    summary: `${text(pods)} pods onto ${text(nodes)} simulated nodes, by ${connections} connections from outside`,
    async run() {
      const dataDir = temporaryDirectory()
      const started = performance.now()
      try {
        await up(dataDir, {}, ['--simulated-nodes', String(nodes)])
        const upSeconds = (performance.now() - started) / 1000
        const cluster = await openCluster({ ...ownCluster(dataDir), remove: async () => {} })
        await pause(5000)
        const empty = megabytes(usedBy(cluster.processes))
        const { createdPerSecond, boundSeconds, runningSeconds } = await createPods(cluster, pods, patienceSeconds)
        const loaded = megabytes(usedBy(cluster.processes))
        await pause(5000)
        const before = usedBy(cluster.processes)
        await pause(restSeconds * 1000)
        const after = usedBy(cluster.processes)
        const cpu = ((sum(after.map(({ cpuMs }) => cpuMs)) - sum(before.map(({ cpuMs }) => cpuMs))) / (restSeconds * 1000)) * 100
        const { items } = await cluster.client.list(Pod, { namespace: cluster.namespace })
        const held = items.filter(({ status }) => status?.phase === 'Running').length
        if (held !== pods) throw new CannotMeasure(`only ${held} of ${pods} pods still ran after ${restSeconds} s`)
        const what = `${text(nodes)} nodes, ${text(pods)} pods`
        const how = `simulated nodes in the server; an outside client, ${connections} connections`
        const memoryGoal = goals.memoryMb ? { goal: { atMost: goals.memoryMb } } : {}
        const rows: Result[] = [
          { what: `${what}: up, all nodes Ready`, value: upSeconds, unit: 's', how: `skiff up --simulated-nodes ${nodes}` },
          { what: `${what}: created`, value: createdPerSecond, unit: '/s', how },
          {
            what: `${what}: bound`,
            value: pods / boundSeconds,
            unit: '/s',
            how: 'from the first create to the last bound, by a watch',
            ...(goals.boundPerSecond ? { goal: { atLeast: goals.boundPerSecond } } : {}),
          },
          { what: `${what}: running`, value: pods / runningSeconds, unit: '/s', how: 'from the first create to the last running, by a watch' },
          { what: `${what}: memory, no pods yet`, value: empty, unit: 'MB', how: 'PSS of all processes, 5 s after the start' },
          {
            what: `${what}: memory`,
            value: loaded,
            unit: 'MB',
            how: 'PSS of all processes when the last pod runs',
            ...memoryGoal,
          },
          { what: `${what}: memory at rest`, value: megabytes(after), unit: 'MB', how: `${restSeconds + 5} s later`, ...memoryGoal },
          { what: `${what}: CPU at rest`, value: cpu, unit: '% of a core', how: `heartbeats and all, over ${restSeconds} s, every pod still running` },
        ]
        return rows
      } finally {
        await remove(dataDir)
      }
    },
  }
}

export const thousandNodes = scaleMeasure({
  name: 'nodes',
  nodes: 1000,
  pods: 3000,
  patienceSeconds: 120,
  restSeconds: 30,
  goals: { boundPerSecond: 400, memoryMb: 400 },
})

export const fiveThousandNodes = scaleMeasure({
  name: 'nodes-5000',
  nodes: 5000,
  pods: 30_000,
  patienceSeconds: 600,
  long: true,
  restSeconds: 60,
  goals: {},
})
