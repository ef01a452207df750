/** Further real nodes of this machine: how long until each is Ready, and what its processes take. */
import { Node } from '../../src/client/resources.ts'
import type { V1Node } from '../../src/machinery/schema/generated/types.ts'
import { type BenchCluster, openCluster, ownCluster } from '../bench-cluster.ts'
import { CannotMeasure, type Result, type SkiffMeasure } from '../measure.ts'
import { usedBy } from '../processes.ts'
import { remove, skiff, temporaryDirectory, up } from '../skiff.ts'
import { median, pause, quantile, sum } from '../statistics.ts'

const names = ['bench-1', 'bench-2', 'bench-3']
const patienceMs = 30_000
const settleMs = 5_000

const isReady = ({ status }: V1Node) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

/** Seconds from the beginning of `act` until a watch tells that the node is Ready, written after the beginning. */
async function untilReady({ client }: BenchCluster, name: string, act: () => Promise<void>): Promise<number> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(new CannotMeasure(`${name} was not Ready within ${patienceMs / 1000} s`)), patienceMs)
  const { metadata, items } = await client.list(Node)
  const wasReady = items.some((node) => node.metadata.name === name && isReady(node))
  if (wasReady) throw new CannotMeasure(`${name} is Ready already`)
  const ready = (async () => {
    const options = { fieldSelector: `metadata.name=${name}`, resourceVersion: metadata.resourceVersion ?? '', signal: stop.signal }
    for await (const event of client.watch(Node, options)) if (event.type !== 'ERROR' && isReady(event.object)) return performance.now()
    stop.signal.throwIfAborted()
    throw new CannotMeasure('the watch ended')
  })()
  try {
    const started = performance.now()
    const [at] = await Promise.all([ready, act()])
    return (at - started) / 1000
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

async function untilNotReady({ client }: BenchCluster, name: string): Promise<void> {
  const end = performance.now() + patienceMs
  while (isReady(await client.get(Node, { name }))) {
    if (performance.now() > end) throw new CannotMeasure(`${name} stayed Ready after its machine was off`)
    await pause(100)
  }
}

export const localNodes: SkiffMeasure = {
  name: 'local-nodes',
  needs: 'skiff',
  summary: `${names.length} further real nodes, one after another: until Ready, and memory`,
  async run() {
    const dataDir = temporaryDirectory()
    try {
      await up(dataDir, {}, ['--node-monitor-grace', '15'])
      const cluster = await openCluster({ ...ownCluster(dataDir), remove: async () => {} })
      const node = (...words: string[]) => skiff(['node', ...words, '--data-dir', dataDir])
      const created: number[] = []
      const megabytes: number[] = []
      let processes = 0
      for (const name of names) {
        await pause(settleMs)
        const before = new Set(usedBy(cluster.processes).map(({ pid }) => pid))
        created.push(await untilReady(cluster, name, () => node('create', name)))
        await pause(settleMs)
        const own = usedBy(cluster.processes).filter(({ pid }) => !before.has(pid))
        processes = own.length
        megabytes.push(sum(own.map(({ pssBytes }) => pssBytes)) / 1e6)
      }
      const started: number[] = []
      for (const name of names) {
        await node('stop', name)
        await untilNotReady(cluster, name)
        started.push(await untilReady(cluster, name, () => node('start', name)))
      }
      const seconds = (what: string, times: readonly number[], how: string): Result[] => [
        { what: `${what}, p50`, value: median(times), unit: 's', how, goal: { atMost: 1 } },
        { what: `${what}, worst`, value: quantile(times, 1), unit: 's', how, goal: { atMost: 1 } },
      ]
      return [
        ...seconds('further local node: Ready', created, `\`skiff node create\`, ${names.length} one after another, from the command to Ready by a watch`),
        ...seconds('local node started again: Ready', started, `\`skiff node start\` after \`stop\`, ${names.length} one after another, by a watch`),
        {
          what: 'further local node: memory',
          value: quantile(megabytes, 1),
          unit: 'MB',
          how: `PSS of its ${processes} processes, ${settleMs / 1000} s after it was Ready, no pods; the most of ${megabytes.map(Math.round).join(', ')}`,
          goal: { atMost: 80 },
        },
      ]
    } finally {
      await remove(dataDir)
    }
  },
}
