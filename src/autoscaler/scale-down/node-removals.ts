/** The nodes that are being taken out just now, each by a work of its own. */
import type { ComponentContext } from '../../client/component.ts'
import type { V1Node, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Announcements } from '../announcements.ts'
import type { AutoscalerMetrics } from '../autoscaler-metrics.ts'
import type { ClusterView } from '../cluster-view.ts'
import type { Instance } from '../node-provider.ts'
import type { PoolState } from '../pool-state.ts'
import type { AutoscalerSettings } from '../settings.ts'
import type { DrainRules } from './drain.ts'
import { staysWithNode } from './movable-pods.ts'
import { removeNode } from './node-removal.ts'
import type { ScaleDownTimes } from './scale-down.ts'
import type { UnneededNode } from './unneeded-nodes.ts'

export interface NodeRemovalsOptions {
  context: ComponentContext
  view: ClusterView
  settings: AutoscalerSettings
  tell: Announcements
  metrics: AutoscalerMetrics
  times: ScaleDownTimes
  signal: AbortSignal
  /** One has ended, in whichever way. */
  onEnd(): void
}

interface Removal {
  pool: string
  /** Because the pool is deleted, and not because the node is not needed. */
  ofDeletedPool: boolean
  draining: boolean
  heldUp: string | undefined
  release: AbortController
  done: Promise<void>
}

interface Member {
  node: V1Node
  instance: Instance
}

/** Nodes of deleted pools that are worked on at the same time, beside those that only wait for budgets. */
const mostAtOnce = 50
/** After a failure the same node of a deleted pool is left alone for so long. */
const retryMs = 10_000

export class NodeRemovals {
  readonly #options: NodeRemovalsOptions
  readonly #running = new Map<string, Removal>()
  readonly #failedAt = new Map<string, number>()

  constructor(options: NodeRemovalsOptions) {
    this.#options = options
  }

  names(): Set<string> {
    return new Set(this.#running.keys())
  }

  /** Of those that are not needed. */
  counts(): { all: number; draining: number } {
    const running = [...this.#running.values()].filter(({ ofDeletedPool }) => !ofDeletedPool)
    return { all: running.length, draining: running.filter(({ draining }) => draining).length }
  }

  /** What holds up nodes of the pool, by node. */
  heldUp(pool: string): Map<string, string> {
    return new Map([...this.#running].flatMap(([name, { pool: of, heldUp }]) => (of === pool && heldUp !== undefined ? [[name, heldUp] as const] : [])))
  }

  unneeded({ node: { name, node }, pods, state, instance, ready }: UnneededNode): void {
    const { tell, clock, metrics, times, settings } = { ...this.#options, clock: this.#options.context.clock }
    const isEmpty = pods.length === 0
    const reason = isEmpty ? 'ScaleDownEmpty' : 'ScaleDown'
    const meant = new Set(pods.map(({ metadata }) => metadata.uid))
    const rules: Omit<DrainRules, 'heldUp'> = {
      until: clock.monotonic() + settings.maxPodEvictionMs,
      insist: false,
      toGo(there) {
        const left = there.filter((pod) => !staysWithNode(pod))
        const came = left.find(({ metadata }) => metadata.deletionTimestamp === undefined && !meant.has(metadata.uid))
        if (came) throw new Error(`${came.metadata.namespace}/${came.metadata.name} came to the node meanwhile`)
        return left
      },
    }
    tell.ofPool(state.pool, 'Normal', reason, `Scale-down: removing ${isEmpty ? 'empty ' : ''}node ${name}`)
    this.#begin(state, { node, instance }, { rules, ofDeletedPool: false, draining: !isEmpty }, (error) => {
      if (error !== undefined) {
        times.lastFailure = clock.monotonic()
        return
      }
      times.lastDelete = clock.monotonic()
      metrics.scaledDown(!ready ? 'unready' : isEmpty ? 'empty' : 'underutilized')
      tell.ofPool(state.pool, 'Normal', reason, `Scale-down: ${isEmpty ? `empty node ${name} removed` : `node ${name} removed with drain`}`)
    })
  }

  /** `until`: budgets are respected until then, by the monotonic clock. Does nothing while the node is on its way out, or failed to go a moment ago. */
  ofDeletedPool(state: PoolState, member: Member, until: number): void {
    const { tell, context } = this.#options
    const { name } = member.node.metadata
    const now = context.clock.monotonic()
    const busy = [...this.#running.values()].filter(({ ofDeletedPool, heldUp }) => ofDeletedPool && heldUp === undefined).length
    if (busy >= mostAtOnce || this.#running.has(name) || now < (this.#failedAt.get(name) ?? Number.NEGATIVE_INFINITY) + retryMs) return
    const rules = { until, insist: true, toGo: (there: readonly V1Pod[]) => there.filter((pod) => !staysWithNode(pod)) }
    this.#begin(state, member, { rules, ofDeletedPool: true, draining: true }, (error) => {
      if (error === undefined) {
        this.#failedAt.delete(name)
        tell.ofPool(state.pool, 'Normal', 'ScaleDown', `Scale-down: node ${name} of the deleted pool removed`)
      } else this.#failedAt.set(name, context.clock.monotonic())
    })
  }

  /** The pool was let go with its nodes: they stay. */
  release(pool: string): void {
    for (const removal of this.#running.values()) if (removal.pool === pool) removal.release.abort(new Error(`the pool ${pool} is gone`))
  }

  async settled(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done))
  }

  #begin(
    state: PoolState,
    { node, instance }: Member,
    { rules, ofDeletedPool, draining }: { rules: Omit<DrainRules, 'heldUp'>; ofDeletedPool: boolean; draining: boolean },
    after: (error: unknown) => void,
  ): void {
    const { context, view, settings, tell, metrics, signal, onEnd } = this.#options
    const { name } = node.metadata
    const release = new AbortController()
    const removal: Removal = { pool: state.name, ofDeletedPool, draining, heldUp: undefined, release, done: Promise.resolve() }
    this.#running.set(name, removal)
    const caused = context.client.because({ component: 'cluster-autoscaler', seen: [] })
    removal.done = removeNode({
      client: caused,
      clock: context.clock,
      events: tell.recorder,
      settings,
      signal: AbortSignal.any([signal, release.signal]),
      node,
      instance,
      pool: state.name,
      group: state.group,
      podsOnNode: () => view.podsOn(name),
      budgets: () => view.budgets(),
      evicted: (result) => metrics.evicted(result),
      rules: {
        ...rules,
        heldUp: (by) => {
          removal.heldUp = by
        },
      },
    })
      .then(
        () => after(undefined),
        (error: unknown) => {
          if (signal.aborted) return
          context.log.warn('a node was not taken out', { node: name, error: String(error) })
          after(error)
        },
      )
      .finally(() => {
        this.#running.delete(name)
        onEnd()
      })
  }
}
