/** From two samples to what is used: processors over the time between them, memory as it was at the later. */
import type { Usage } from '../apis/metrics/node-metrics.ts'
import { formatQuantity, fromWhole } from '../machinery/quantity.ts'
import type { Sample } from './resource-samples.ts'

export interface Measured {
  at: number
  windowMs: number
  usage: Usage
}

/** A container that has run for less than this says little about itself. */
const freshMs = 10_000

/**
 * Undefined where there is nothing to compare. A container that started within the time between two scrapes is
 * measured from its start, once it has run for a while.
 */
export function measure(last: Sample, before: Sample | undefined, resolutionMs: number): Measured | undefined {
  const age = last.startedAt > 0 ? last.at - last.startedAt : Number.POSITIVE_INFINITY
  const sameRun = before !== undefined && before.at < last.at && before.cpuSeconds <= last.cpuSeconds && last.startedAt <= before.at
  if (sameRun) return between(last, before)
  if (age >= freshMs && age < resolutionMs + freshMs) return between(last, { at: last.startedAt, cpuSeconds: 0 })
  return undefined
}

function between(last: Sample, before: Pick<Sample, 'at' | 'cpuSeconds'>): Measured {
  const windowMs = last.at - before.at
  const nanoCores = ((last.cpuSeconds - before.cpuSeconds) * 1e12) / windowMs
  const cpu = formatQuantity({ nanos: BigInt(Math.round(nanoCores)), format: 'decimal' })
  return { at: last.at, windowMs, usage: { cpu, memory: bytes(last.memoryBytes) } }
}

/** In Ki where it is whole, as upstream writes working sets. */
const bytes = (amount: number): string => formatQuantity(fromWhole(amount, 'binary'))

/** `15.02s`, as a duration is written. */
export function durationText(ms: number): string {
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(3))}s`
  const minutes = Math.floor(ms / 60_000)
  return `${minutes >= 60 ? `${Math.floor(minutes / 60)}h${minutes % 60}m` : `${minutes}m`}${Number(((ms % 60_000) / 1000).toFixed(3))}s`
}
