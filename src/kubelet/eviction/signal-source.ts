/**
 * What is left of what pods use together. A node on somebody's machine is a guest there: memory is counted against
 * the node's own capacity by what its pods use, so that a browser that fills the machine's memory evicts nobody, and
 * a node that was given a part of the machine runs short when that part is used up. Where the node has the machine
 * for itself (`wholeMachine`), what others have taken of its memory is missing too. Disks and processes are not
 * divided: what is left of them is left for all, so local nodes take absolute thresholds on them, not shares.
 */
import { readFile, statfs } from 'node:fs/promises'
import type { Runtime } from '../../runtime/runtime.ts'
import { observeProcesses } from './processes.ts'
import type { Observation, Observations, Signal } from './thresholds.ts'

export interface SignalSource {
  /** Signals that cannot be told are left out: they are never short. */
  observe(): Promise<Observations>
}

export interface SignalSourceOptions {
  runtime: Runtime
  /** On the disk that pods write to. */
  rootDirectory: string
  /** Bytes. */
  memoryCapacity(): number
  wholeMachine: boolean
}

export function nodeSignals({ runtime, rootDirectory, memoryCapacity, wholeMachine }: SignalSourceOptions): SignalSource {
  const memory = async (): Promise<Observation> => {
    const capacity = memoryCapacity()
    const used = runtime.nodeStats
      ? (await runtime.nodeStats()).memory.workingSetBytes
      : (await runtime.stats()).reduce((sum, one) => sum + one.memory.workingSetBytes, 0)
    const left = wholeMachine ? availableMemory(await readFile('/proc/meminfo', 'utf8')) : undefined
    return { available: Math.max(0, Math.min(capacity - used, left ?? capacity)), capacity }
  }
  return {
    async observe() {
      const [memorySeen, node, image, pids] = await Promise.all([
        memory(),
        disk('nodefs', rootDirectory),
        runtime.imageFsInfo().then(({ mountpoint }) => disk('imagefs', mountpoint)),
        observeProcesses(runtime),
      ])
      return new Map<Signal, Observation>([['memory.available', memorySeen], ...node, ...image, ...(pids ? [['pid.available', pids] as const] : [])])
    },
  }
}

async function disk(name: 'nodefs' | 'imagefs', path: string): Promise<[Signal, Observation][]> {
  const { blocks, bavail, bsize, files, ffree } = await statfs(path)
  return [
    [`${name}.available`, { available: bavail * bsize, capacity: blocks * bsize }],
    // Some file systems have no fixed number of them, and say 0.
    ...(files > 0 ? [[`${name}.inodesFree`, { available: ffree, capacity: files }] as [Signal, Observation]] : []),
  ]
}

/** Of `/proc/meminfo`. */
export function availableMemory(meminfo: string): number | undefined {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
}
