/**
 * When the node counts as short of something: thresholds on signals, as `evictionHard` and its siblings of the
 * kubelet's configuration say them (`memory.available: 100Mi`, `nodefs.available: 10%`).
 */
import { quantity, toNumber } from '../../machinery/quantity.ts'

export const signals = ['memory.available', 'nodefs.available', 'nodefs.inodesFree', 'imagefs.available', 'imagefs.inodesFree', 'pid.available'] as const
export type Signal = (typeof signals)[number]

export type PressureCondition = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure'

export const conditionOfSignal = (signal: Signal): PressureCondition =>
  signal === 'memory.available' ? 'MemoryPressure' : signal === 'pid.available' ? 'PIDPressure' : 'DiskPressure'

/** What is short, by the name that messages give it. */
export type Resource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids'

export function resourceOfSignal(signal: Signal): Resource {
  if (signal === 'memory.available') return 'memory'
  if (signal === 'pid.available') return 'pids'
  return signal.endsWith('.available') ? 'ephemeral-storage' : 'inodes'
}

/** Of the signal's capacity, or absolute. */
export type Amount = { fraction: number } | { value: number }

export interface Threshold {
  signal: Signal
  below: Amount
  /** Hard thresholds have none: they act at once, and the pod ends at once. */
  graceMs?: number
  /** How much more than the threshold must be free again before it counts as resolved. */
  minimumReclaim?: Amount
}

export interface Observation {
  available: number
  capacity: number
}

export type Observations = ReadonlyMap<Signal, Observation>

/** As upstream's on Linux; there is none for processes. */
export const defaultHard: Readonly<Record<string, string>> = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
}

export interface ThresholdSettings {
  /** Replace the default ones, all of them. `0%` switches one off. */
  hard?: Readonly<Record<string, string>>
  soft?: Readonly<Record<string, string>>
  /** Seconds for which a soft threshold must be met before it acts; each soft threshold needs one. */
  softGraceSeconds?: Readonly<Record<string, number>>
  minimumReclaim?: Readonly<Record<string, string>>
}

export function readThresholds({ hard = defaultHard, soft = {}, softGraceSeconds = {}, minimumReclaim = {} }: ThresholdSettings): Threshold[] {
  const list = (amounts: Readonly<Record<string, string>>, isSoft: boolean) =>
    Object.entries(amounts).flatMap(([name, text]): Threshold[] => {
      const signal = signalNamed(name)
      const seconds = softGraceSeconds[name]
      if (isSoft && seconds === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${name}`)
      if (/^(0|100)(\.0*)?%$/.test(text)) return []
      const reclaim = minimumReclaim[name]
      return [
        {
          signal,
          below: amountOf(name, text),
          ...(isSoft && seconds !== undefined ? { graceMs: seconds * 1000 } : {}),
          ...(reclaim === undefined ? {} : { minimumReclaim: amountOf(name, reclaim) }),
        },
      ]
    })
  return [...list(hard, false), ...list(soft, true)]
}

function signalNamed(name: string): Signal {
  const signal = signals.find((one) => one === name)
  if (!signal) throw new Error(`unsupported eviction signal ${name}`)
  return signal
}

function amountOf(name: string, text: string): Amount {
  if (text.endsWith('%')) {
    const percent = Number(text.slice(0, -1))
    if (!(percent >= 0 && percent <= 100)) throw new Error(`eviction percentage threshold ${name} must be >= 0% and <= 100%: ${text}`)
    return { fraction: percent / 100 }
  }
  const value = toNumber(quantity(text))
  if (value < 0) throw new Error(`eviction threshold ${name} cannot be negative: ${text}`)
  return { value }
}

export const amountIn = (amount: Amount, capacity: number): number => ('value' in amount ? amount.value : Math.floor(amount.fraction * capacity))

/** With `untilReclaimed` a threshold is met until its minimum reclaim is free as well. */
export function thresholdsMet(thresholds: readonly Threshold[], observations: Observations, untilReclaimed: boolean): Threshold[] {
  return thresholds.filter(({ signal, below, minimumReclaim }) => {
    const seen = observations.get(signal)
    if (!seen) return false
    const more = untilReclaimed && minimumReclaim ? amountIn(minimumReclaim, seen.capacity) : 0
    return seen.available < amountIn(below, seen.capacity) + more
  })
}

/** What hard thresholds keep back of a resource: it is not allocatable. */
export function keptBack(thresholds: readonly Threshold[], signal: Signal, capacity: number): number {
  const hard = thresholds.filter((one) => one.signal === signal && one.graceMs === undefined)
  return Math.max(0, ...hard.map(({ below }) => amountIn(below, capacity)))
}
