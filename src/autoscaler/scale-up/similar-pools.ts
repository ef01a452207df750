/** Pools whose nodes are alike share what is to be added, so that they become equally large. */
import { quantity, toNumber } from '../../machinery/quantity.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { poolLabel } from '../node-pool.ts'
import type { PoolState } from '../pool-state.ts'
import type { Expansion } from './expanders.ts'

export interface Share {
  state: PoolState
  nodes: number
}

/** So much may amounts differ, as upstream: machines that are alike do not tell the same to the byte. */
const memoryTolerance = 0.015
const allocatableTolerance = 0.05

/** Say where a node is, or which it is, and not how it is. */
const ofPlace = new Set([
  poolLabel,
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
])

/** How the expansion is divided among its pool and those like it that would help the same pods. */
export function balance(expansion: Expansion, all: readonly Expansion[], states: readonly PoolState[], ignoredLabels: readonly string[]): Share[] {
  const ignored = new Set([...ofPlace, ...ignoredLabels])
  const helps = ({ rejects }: Expansion) => !expansion.pods.some((pod) => rejects(pod))
  const alike = all.filter((one) => one === expansion || (areAlike(one.template, expansion.template, ignored) && helps(one)))
  const shares = alike.flatMap(({ pool }): Share[] => {
    const state = states.find(({ name }) => name === pool)
    return state ? [{ state, nodes: 0 }] : []
  })
  for (let left = expansion.nodes; left > 0; left--) {
    const open = shares.filter(({ state, nodes }) => state.targetSize + nodes < state.pool.spec.maxSize)
    const [first] = open.sort((a, b) => a.state.targetSize + a.nodes - (b.state.targetSize + b.nodes))
    if (!first) break
    first.nodes++
  }
  return shares.filter(({ nodes }) => nodes > 0)
}

export function areAlike(a: V1Node, b: V1Node, ignored: ReadonlySet<string>): boolean {
  const labels = ({ metadata }: V1Node) => new Map(Object.entries(metadata.labels ?? {}).filter(([name]) => !ignored.has(name)))
  const [ofA, ofB] = [labels(a), labels(b)]
  if (ofA.size !== ofB.size || [...ofA].some(([name, value]) => ofB.get(name) !== value)) return false
  return (
    areNear(a.status?.capacity, b.status?.capacity, (name) => (name === 'memory' ? memoryTolerance : 0)) &&
    areNear(a.status?.allocatable, b.status?.allocatable, () => allocatableTolerance)
  )
}

function areNear(a: Record<string, string> = {}, b: Record<string, string> = {}, toleranceOf: (name: string) => number): boolean {
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => {
    const [one, other] = [a[name], b[name]]
    if (one === undefined || other === undefined) return false
    const [left, right] = [toNumber(quantity(one)), toNumber(quantity(other))]
    return Math.abs(left - right) <= toleranceOf(name) * Math.max(left, right)
  })
}
