/** What the autoscaler tells of itself: the status of each pool, and upstream's ConfigMap. */
import { stringify } from 'yaml'
import type { Client } from '../client/client.ts'
import { ConfigMap } from '../client/resources.ts'
import { type Clock, timestamp } from '../machinery/clock.ts'
import type { V1Condition, V1Node } from '../machinery/schema/generated/types.ts'
import { type ClusterView, isGone, isReady } from './cluster-view.ts'
import { countNodes } from './node-counts.ts'
import { NodePool, type NodePoolStatus } from './node-pool.ts'
import type { DeletionProgress } from './pool-deletion.ts'
import type { PoolState } from './pool-state.ts'

export const statusConfigMap = { namespace: 'kube-system', name: 'cluster-autoscaler-status' }

type Told = Pick<V1Condition, 'type' | 'status' | 'reason' | 'message'>

export interface PoolReport {
  pool: NodePool
  state: PoolState | undefined
  /** Why the pool cannot be worked with. */
  problem: string | undefined
  /** How far its deletion is. */
  deletion: DeletionProgress | undefined
}

export function poolStatus({ pool, state, problem, deletion }: PoolReport, clock: Clock): NodePoolStatus {
  const backoff = state?.memory.backoffAt(clock.monotonic())
  const is = (type: string, yes: boolean, reason: [string, string], message: [string, string]): Told => ({
    type,
    status: yes ? 'True' : 'False',
    reason: yes ? reason[0] : reason[1],
    message: yes ? message[0] : message[1],
  })
  const { maxSize } = pool.spec
  const target = state?.targetSize ?? 0
  const told: Told[] = [
    is('Ready', problem === undefined, ['ProviderReady', 'ProviderFailed'], ['nodes can be added and removed', problem ?? '']),
    ...(state
      ? [
          is('ScalingUp', state.upcoming > 0, ['NodesComing', 'NoneComing'], [`${state.upcoming} nodes are on their way`, 'no node is on its way']),
          is(
            'ScalingLimited',
            target >= maxSize,
            [target > maxSize ? 'AboveMaxSize' : 'MaxSizeReached', 'BelowMaxSize'],
            [
              target > maxSize
                ? `there are to be ${target} nodes, and ${maxSize} is the most: none is added, and those go that are not needed`
                : `there are to be ${target} nodes, and ${maxSize} is the most`,
              `fewer than ${maxSize}`,
            ],
          ),
          is('BackingOff', backoff !== undefined, [backoff?.reason ?? '', 'NoFailure'], [backoff?.message ?? '', 'no node failed lately']),
        ]
      : []),
    ...(deletion ? [{ type: 'Deleting', status: 'True' as const, ...deletion }] : []),
  ]
  const before = pool.status?.conditions ?? []
  const conditions = told.map((one): V1Condition => {
    const old = before.find(({ type }) => type === one.type)
    const lastTransitionTime = old?.status === one.status ? old.lastTransitionTime : timestamp(clock.now())
    return { ...one, observedGeneration: pool.metadata.generation ?? 0, lastTransitionTime }
  })
  const sizes = state && { size: state.members.length, targetSize: state.targetSize, ready: state.members.filter(({ node }) => isReady(node)).length }
  return {
    observedGeneration: pool.metadata.generation ?? 0,
    ...(sizes ?? { size: pool.status?.size ?? 0, targetSize: pool.status?.targetSize ?? 0, ready: 0 }),
    conditions,
  }
}

export async function writePoolStatus(client: Client, pool: NodePool, status: NodePoolStatus): Promise<void> {
  if (JSON.stringify(sorted(status)) === JSON.stringify(sorted(pool.status))) return
  await client.patch(NodePool, { name: pool.metadata.name }, 'merge', { status }, { subresource: 'status' }).catch((error: unknown) => {
    if (!isGone(error)) throw error
  })
}

/** The same whichever way the fields stand. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}

export interface ClusterReport {
  /** How many nodes could go, by pool. */
  candidates: ReadonlyMap<string, number>
  /** Whether anything is decided at all. */
  isSafe: boolean
}

/** Upstream writes it at each scan; here, when it says something new, and once a minute. */
export class StatusConfigMap {
  readonly #client: Client
  readonly #clock: Clock
  readonly #since = new Map<string, { status: string; at: string }>()
  #written = ''
  #writtenAt = Number.NEGATIVE_INFINITY

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async write(view: ClusterView, states: readonly PoolState[], { candidates, isSafe }: ClusterReport): Promise<void> {
    const now = timestamp(this.#clock.now())
    const all = [...candidates.values()].reduce((sum, count) => sum + count, 0)
    const backoffOf = ({ memory }: PoolState) => memory.backoffAt(this.#clock.monotonic())
    const part = (key: string, status: string, more: object = {}) => {
      const since = this.#since.get(key)
      if (since?.status !== status) this.#since.set(key, { status, at: now })
      return { status, ...more, lastProbeTime: now, lastTransitionTime: this.#since.get(key)?.at ?? now }
    }
    const scaleUpOf = (state: PoolState) => (backoffOf(state) ? 'Backoff' : state.upcoming > 0 ? 'InProgress' : 'NoActivity')
    const counts = (some: readonly V1Node[], of: readonly PoolState[]) => {
      const { registered, ready, notStarted, beingDeleted, unready, unregistered, longUnregistered } = countNodes(view, some, of)
      return {
        nodeCounts: {
          registered: { total: registered, ready, notStarted, beingDeleted, unready: { total: unready, resourceUnready: 0 } },
          longUnregistered,
          unregistered,
        },
      }
    }
    const overall = states.some((state) => scaleUpOf(state) === 'InProgress') ? 'InProgress' : 'NoActivity'
    const scaleDown = (key: string, count: number) => part(key, count > 0 ? 'CandidatesPresent' : 'NoCandidates', { candidates: count })
    const status = {
      time: now,
      autoscalerStatus: 'Running',
      clusterWide: {
        health: part('health', isSafe ? 'Healthy' : 'Unhealthy', counts(view.nodes(), states)),
        scaleUp: part('scaleUp', overall),
        scaleDown: scaleDown('scaleDown', all),
      },
      nodeGroups: states.map((state) => {
        const backoff = backoffOf(state)
        const { minSize, maxSize } = state.pool.spec
        const members = state.members.map(({ node }) => node)
        return {
          name: state.name,
          health: part(`health ${state.name}`, 'Healthy', {
            ...counts(members, [state]),
            cloudProviderTarget: state.targetSize,
            minSize,
            maxSize,
          }),
          scaleUp: part(
            `scaleUp ${state.name}`,
            scaleUpOf(state),
            backoff ? { backoffInfo: { errorCode: backoff.reason, errorMessage: backoff.message } } : {},
          ),
          scaleDown: scaleDown(`scaleDown ${state.name}`, candidates.get(state.name) ?? 0),
        }
      }),
    }
    const said = JSON.stringify(status, (key, value: unknown) => (key === 'lastProbeTime' || key === 'time' ? undefined : value))
    const monotonic = this.#clock.monotonic()
    if (said === this.#written && monotonic - this.#writtenAt < 60_000) return
    await this.#put(stringify(status))
    this.#written = said
    this.#writtenAt = monotonic
  }

  async #put(text: string): Promise<void> {
    const metadata = {
      ...statusConfigMap,
      annotations: { 'cluster-autoscaler.kubernetes.io/last-updated': `${timestamp(this.#clock.now()).replace('T', ' ').replace('Z', '')} +0000 UTC` },
    }
    try {
      await this.#client.patch(ConfigMap, statusConfigMap, 'merge', { metadata, data: { status: text } })
    } catch (error) {
      if (!isGone(error)) throw error
      await this.#client.create(ConfigMap, { metadata, data: { status: text } })
    }
  }
}
