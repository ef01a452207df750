/**
 * What the record of causes takes of a write. A control plane over a disk, in this process, is written to while recording
 * is switched on and off in turn; each slice with it is compared with the slice without it beside it, so whatever
 * else goes on in the machine falls on both.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { WriteRecord } from '../../src/apiserver/contracts.ts'
import { ConfigMap } from '../../src/client/resources.ts'
import { bootstrapUser } from '../../src/cluster/users.ts'
import { realClock } from '../../src/machinery/real-clock.ts'
import { openTraceLog } from '../../src/trace/trace-log.ts'
import { openCluster } from '../bench-cluster.ts'
import { configMap } from '../load/load-job.ts'
import { runNodeLoad } from '../load/run-load.ts'
import type { Result, SkiffMeasure } from '../measure.ts'
import { openServer } from '../open-server.ts'
import { temporaryDirectory } from '../skiff.ts'
import { median, medianWithConfidence, pause } from '../statistics.ts'

const connections = 32
const pairs = 60
const sliceMs = 300
const causes = 3

interface Slice {
  /** Processor time of the whole process for each write. */
  cpuMicroseconds: number
  /** Of that, in the record itself. */
  insideMicroseconds: number
  perSecond: number
}

/** The trace log behind a switch; each write is told with as many causes as a controller's usually has. */
class SwitchedRecord {
  readonly #trace
  /** What went by in the record itself: handing it a write, and its writing of many to its file. */
  #insideMicroseconds = 0
  #on = false
  writes = 0

  constructor(path: string) {
    this.#trace = openTraceLog(path, { ...realClock, after: (ms, then) => realClock.after(ms, () => this.#inside(then)) })
  }

  readonly onWrite = (write: WriteRecord): void => {
    this.writes++
    if (!this.#on) return
    const seen = Array.from({ length: causes }, (_, index) => Math.max(1, write.revision - index - 1))
    const record = { ...write, cause: { component: 'bench', seen } }
    const started = performance.now()
    this.#trace.record(record)
    this.#insideMicroseconds += (performance.now() - started) * 1000
  }

  /** By the thread's own clock: what others take of the processor meanwhile is not counted. */
  #inside(work: () => void): void {
    const before = process.threadCpuUsage()
    work()
    const { user, system } = process.threadCpuUsage(before)
    this.#insideMicroseconds += user + system
  }

  /** What was recorded is written within the slice. */
  async slice(on: boolean): Promise<Slice> {
    this.#on = on
    const cpu = process.cpuUsage()
    const writes = this.writes
    const inside = this.#insideMicroseconds
    const started = performance.now()
    await pause(sliceMs)
    if (on) this.#inside(() => void this.#trace.write(0))
    this.#on = false
    const { user, system } = process.cpuUsage(cpu)
    const made = this.writes - writes
    return {
      cpuMicroseconds: (user + system) / made,
      insideMicroseconds: (this.#insideMicroseconds - inside) / made,
      perSecond: made / ((performance.now() - started) / 1000),
    }
  }

  close(): void {
    this.#trace.close()
  }
}

async function compare(record: SwitchedRecord): Promise<{ on: Slice; off: Slice }[]> {
  const compared: { on: Slice; off: Slice }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const onFirst = pair % 2 === 0
    const first = await record.slice(onFirst)
    const second = await record.slice(!onFirst)
    compared.push(onFirst ? { on: first, off: second } : { on: second, off: first })
  }
  return compared
}

function rows(where: string, compared: readonly { on: Slice; off: Slice }[]): Result[] {
  const share = medianWithConfidence(compared.map(({ on }) => (on.insideMicroseconds / on.cpuMicroseconds) * 100))
  const more = medianWithConfidence(compared.map(({ on, off }) => (on.cpuMicroseconds / off.cpuMicroseconds - 1) * 100))
  const of = (values: number[]) => median(values).toFixed(1)
  const what = `recording of causes, ${where}`
  const inside = of(compared.map(({ on }) => on.insideMicroseconds))
  const whole = of(compared.map(({ on }) => on.cpuMicroseconds))
  const without = of(compared.map(({ off }) => off.cpuMicroseconds))
  const bounds = ({ low, high }: { low: number; high: number }) => `95 % confidence ${low.toFixed(1)} to ${high.toFixed(1)} %`
  return [
    {
      what: `${what}: time in it`,
      value: share.median,
      unit: '%',
      how: `of the server's processor time: ${inside} of ${whole} µs for a write with ${causes} causes, median of ${pairs} slices, ${bounds(share)}`,
      goal: { atMost: 5 },
    },
    {
      what: `${what}: with and without`,
      value: more.median,
      unit: '% more',
      how: `processor time for a write, ${whole} and ${without} µs, median of ${pairs} pairs of slices in turn, ${bounds(more)}`,
    },
  ]
}

export const recording: SkiffMeasure = {
  name: 'recording',
  needs: 'skiff',
  summary: 'what the record of causes takes of a write',
  async run() {
    const directory = temporaryDirectory()
    const record = new SwitchedRecord(join(directory, 'trace.db'))
    const server = await openServer(directory, record.onWrite)
    try {
      const cluster = await openCluster({ kubeconfig: server.kubeconfig, processes: [], remove: async () => {} })
      const { ca, token, namespace } = cluster
      const seconds = (pairs * 2 * sliceMs) / 1000 + 4
      const load = runNodeLoad({ server: cluster.server, ca, token, namespace, connections, seconds, verb: 'create', name: 'recorded', objects: 1 })
      while (record.writes < 2000) await pause(20)
      const overHttps = await compare(record)
      await load

      const client = server.controlPlane.client(bootstrapUser, 'skiff-bench')
      let stopped = false
      // Changes of the same few objects: what is written does not fill memory, which would be measured too.
      const writers = Array.from({ length: connections }, async (_, writer) => {
        const object = await client.create(ConfigMap, configMap(namespace, `in-process-${writer}`))
        const { name } = object.metadata
        for (let count = 0; !stopped; count++)
          await client.update(ConfigMap, { ...object, metadata: { name, namespace } as typeof object.metadata, data: { ...object.data, COUNT: String(count) } })
      })
      const inProcess = await compare(record)
      stopped = true
      await Promise.all(writers)
      return [...rows('creates over HTTPS', overHttps), ...rows('updates in process', inProcess)]
    } finally {
      await server.stop()
      record.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
