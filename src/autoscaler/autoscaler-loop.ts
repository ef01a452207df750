/** One decision after another, while this instance leads: what failed is given up, pools grow, pools shrink, all is told. */
import type { ComponentContext } from '../client/component.ts'
import type { Informer } from '../client/informer.ts'
import { ConfigMap } from '../client/resources.ts'
import type { Timer } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import { Announcements } from './announcements.ts'
import type { AutoscalerMetrics } from './autoscaler-metrics.ts'
import { ClusterView, isUnschedulable } from './cluster-view.ts'
import { countNodes, isSafeToAutoscale } from './node-counts.ts'
import { deleteNode } from './node-deletion.ts'
import { leavingAnnotation, type NodePool } from './node-pool.ts'
import { PoolDeletion } from './pool-deletion.ts'
import { isLeaving, isMarked, type PoolState } from './pool-state.ts'
import { type KnownPools, PoolsInView, type Providers } from './pools-in-view.ts'
import { unmark } from './scale-down/node-mark.ts'
import { NodeRemovals } from './scale-down/node-removals.ts'
import { chooseRemovals, ScaleDownTimes } from './scale-down/scale-down.ts'
import { findUnneededNodes, type UnneededNode, type UnneededNodes } from './scale-down/unneeded-nodes.ts'
import { readPriorities } from './scale-up/expanders.ts'
import { decideScaleUp } from './scale-up/scale-up.ts'
import type { AutoscalerSettings } from './settings.ts'
import { poolStatus, StatusConfigMap, writePoolStatus } from './status.ts'

export interface AutoscalerLoopOptions {
  context: ComponentContext
  pools: Informer<NodePool>
  providers: Providers
  settings: AutoscalerSettings
  metrics: AutoscalerMetrics
  signal: AbortSignal
  /** The last pool is gone, and nothing is left to do. */
  onIdle(): void
}

const priorityConfigMap = { namespace: 'kube-system', name: 'cluster-autoscaler-priority-expander' }
/** Steps in one pass: what one pool leaves waiting, or fails to bring, the next may take on. */
const mostExpansions = 10
/** While something is on its way it is looked at so often. */
const busyMs = 1000

export class AutoscalerLoop {
  readonly #options: AutoscalerLoopOptions
  readonly #context: ComponentContext
  readonly #settings: AutoscalerSettings
  readonly #signal: AbortSignal
  readonly #metrics: AutoscalerMetrics
  readonly #view: ClusterView
  readonly #times: ScaleDownTimes
  readonly #tell: Announcements
  readonly #configMap: StatusConfigMap
  readonly #pools: PoolsInView
  readonly #removals: NodeRemovals
  readonly #deletion: PoolDeletion
  /** Revisions that woke the next pass. */
  #seen: number[] = []
  #wake: (() => void) | undefined
  #woken = false
  #gathering: { timer: Timer; at: number } | undefined
  #isSafe = true

  constructor(options: AutoscalerLoopOptions) {
    const { context, settings, metrics, signal, pools, providers } = options
    this.#options = options
    this.#context = context
    this.#settings = settings
    this.#signal = signal
    this.#metrics = metrics
    const view = new ClusterView(
      context,
      (revision) => this.wake(revision, settings.gatherMs),
      (revision) => this.wake(revision, settings.gatherLessMs),
    )
    const tell = new Announcements(context)
    const times = new ScaleDownTimes(context.clock)
    this.#view = view
    this.#tell = tell
    this.#times = times
    this.#configMap = new StatusConfigMap(context.client, context.clock)
    this.#pools = new PoolsInView({ context, pools, providers, view, settings, tell })
    this.#removals = new NodeRemovals({ context, view, settings, tell, metrics, times, signal, onEnd: () => this.wake(0, settings.gatherMs) })
    this.#deletion = new PoolDeletion({ context, view, tell, removals: this.#removals })
  }

  /** Something happened; what else happens within this time is looked at together with it. */
  wake(revision: number, withinMs: number): void {
    if (revision > 0 && this.#seen.length < 32) this.#seen.push(revision)
    const { clock } = this.#context
    const at = clock.monotonic() + withinMs
    if (this.#gathering && this.#gathering.at <= at) return
    this.#gathering?.timer.cancel()
    const timer = clock.after(withinMs, () => {
      this.#gathering = undefined
      this.#woken = true
      this.#wake?.()
    })
    this.#gathering = { timer, at }
  }

  async run(): Promise<void> {
    const { log } = this.#context
    const unfollow = this.#options.pools.onChange(({ type, object, previous, revision }) => {
      if (type === 'deleted') this.#removals.release(object.metadata.name)
      if (type === 'deleted' || object.metadata.generation !== previous?.metadata.generation) this.wake(revision, this.#settings.gatherMs)
    })
    try {
      await this.#view.whenSynced(this.#signal)
      while (!this.#signal.aborted) {
        this.#woken = false
        const nextMs = await this.#metrics
          .time('main', () => this.#pass())
          .catch((error: unknown) => {
            if (this.#signal.aborted) return 0
            log.warn('a pass of the autoscaler failed', { error: String(error) })
            this.#metrics.failed(isApiError(error) ? 'apiCallError' : 'internalError')
            return this.#settings.scanIntervalMs
          })
        if (this.#pools.list().length === 0 && this.#removals.names().size === 0) this.#options.onIdle()
        await this.#rest(Math.min(nextMs, this.#settings.scanIntervalMs))
      }
    } finally {
      unfollow()
      this.#gathering?.timer.cancel()
      this.#view.close()
      await this.#removals.settled()
      this.#tell.recorder.stop()
    }
  }

  async #rest(ms: number): Promise<void> {
    if (this.#woken || this.#signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.after(Math.max(ms, 1), resolve)
      this.#wake = () => {
        timer.cancel()
        resolve()
      }
      this.#signal.addEventListener('abort', this.#wake, { once: true })
    })
    if (this.#wake) this.#signal.removeEventListener('abort', this.#wake)
    this.#wake = undefined
  }

  /** Resolves with the time after which there is something to do, as far as it is known. */
  async #pass(): Promise<number> {
    const seen = this.#seen
    this.#seen = []
    const client = this.#context.client.because({ component: 'cluster-autoscaler', seen })
    let known = await this.#metrics.time('updateClusterState', () => this.#lookAround())
    await this.#settleMarked(known)
    for (const state of known.states.filter(isLeaving)) await this.#deletion.advance(state)
    // What never came says nothing of the cluster.
    if (await this.#giveUp(known.states)) known = await this.#pools.look()
    this.#isSafe = this.#judge(known.states)
    let found: UnneededNodes = { unneeded: [], kept: new Map() }
    if (this.#isSafe) {
      for (let i = 0; i < mostExpansions; i++) {
        const { states } = known
        const changed = (await this.#giveUp(states)) || (await this.#fillUp(states)) || (await this.#metrics.time('scaleUp', () => this.#grow(states, client)))
        if (!changed) break
        known = await this.#pools.look()
      }
      const { states } = known
      found = await this.#metrics.time('findUnneeded', () => findUnneededNodes(this.#view, states, this.#settings, this.#removals.names()))
      this.#times.note(found.unneeded)
      if (await this.#metrics.time('scaleDown', () => this.#shrink(found.unneeded))) known = await this.#pools.look()
    }
    const waits = found.unneeded.map((node) => this.#times.left(node, this.#settings))
    this.#metrics.unneeded(found.unneeded.length, found.kept, waits.length > 0 && this.#times.isCoolingDown(found.unneeded, this.#settings))
    const unschedulable = [...this.#view.pending.values()].filter(isUnschedulable).length
    this.#metrics.pendingPods(unschedulable, this.#view.pending.size - unschedulable)
    await this.#report(known, found.unneeded)
    this.#metrics.lastSuccessAt = this.#context.clock.monotonic()
    return Math.min(
      ...waits.map((left) => Math.max(left, busyMs)),
      ...known.states.map((state) => (state.upcoming > 0 || isLeaving(state) ? busyMs : Number.POSITIVE_INFINITY)),
    )
  }

  async #lookAround(): Promise<KnownPools> {
    let failed = false
    await Promise.all(
      Object.values(this.#options.providers).map((provider) =>
        provider.refresh().catch((error: unknown) => {
          failed = true
          this.#context.log.warn('a provider could not be asked what there is', { error: String(error) })
        }),
      ),
    )
    const known = await this.#pools.look()
    if (failed || known.problems.size > 0) this.#metrics.failed('cloudProviderError')
    this.#view.watched = new Set(known.states.flatMap(({ members }) => members.map(({ node }) => node.metadata.name)))
    return known
  }

  /** What an autoscaler began to take out, this one or one before it, and nobody takes out any more: it stays, or has gone already. */
  async #settleMarked({ states }: KnownPools): Promise<void> {
    const { client } = this.#context
    const going = this.#removals.names()
    const names = new Set(this.#pools.list().map(({ metadata }) => metadata.name))
    for (const node of this.#view.nodes()) {
      const { name } = node.metadata
      if (!isMarked(node) || going.has(name)) continue
      const owner = states.find(({ members }) => members.some((member) => member.node.metadata.name === name))
      if (owner) {
        if (!isLeaving(owner)) await unmark(client, name)
        continue
      }
      const pool = node.metadata.annotations?.[leavingAnnotation]
      // Another autoscaler's mark is none of ours.
      if (pool === undefined) continue
      if (states.some((state) => state.name === pool)) await deleteNode(client, node.metadata)
      else if (!names.has(pool)) await unmark(client, name)
    }
  }

  /** Whether so few nodes are not ready that something may be decided. */
  #judge(states: readonly PoolState[]): boolean {
    const counts = countNodes(this.#view, this.#view.nodes(), states)
    const isSafe = isSafeToAutoscale(counts, this.#settings)
    if (this.#isSafe && !isSafe)
      this.#tell.ofAll('Warning', 'ClusterUnhealthy', `Cluster has no safe state: ${counts.unready + counts.longUnregistered} nodes are not ready`)
    this.#metrics.safe(isSafe)
    return isSafe
  }

  /** Nodes that failed, or were not ready in time, go, and their pool is left alone for a while. */
  async #giveUp(states: readonly PoolState[]): Promise<boolean> {
    let any = false
    const now = this.#context.clock.monotonic()
    for (const state of states) {
      const { pool, name, memory, group, failed, lostWishes, settings } = state
      const lost = lostWishes > 0 ? [{ reason: 'Timeout', message: `${lostWishes} nodes did not come within ${settings.provisionMs / 1000}s` }] : []
      const [first] = [...failed, ...lost]
      if (!first || isLeaving(state)) continue
      any = true
      memory.backOff(now, this.#settings, first.reason, first.message)
      this.#metrics.scaleUpFailed(first.reason === 'Timeout' ? 'timeout' : 'cloudProviderError')
      if (first.reason === 'Timeout')
        this.#tell.ofPool(pool, 'Warning', 'ScaleUpTimedOut', `Nodes added to group ${name} failed to register within ${settings.provisionMs / 1000}s`)
      else this.#tell.ofPool(pool, 'Warning', 'FailedToScaleUpGroup', `Scale-up failed for group ${name}: ${first.message}`)
      try {
        if (failed.length > 0) await group.remove(failed.map(({ instance }) => instance))
        if (lostWishes > 0) await group.takeBack(lostWishes)
        for (const { instance } of failed) this.#tell.ofAll('Normal', 'DeleteUnregistered', `Removed unregistered node ${instance.id}`)
        this.#metrics.unregisteredRemoved(failed.length)
      } catch (error) {
        for (const { instance } of failed) this.#tell.ofAll('Warning', 'DeleteUnregisteredFailed', `Failed to remove node ${instance.id}: ${textOf(error)}`)
      }
    }
    return any
  }

  /** There are never fewer nodes than the pool's least size. */
  async #fillUp(states: readonly PoolState[]): Promise<boolean> {
    let any = false
    for (const state of states) {
      const missing = state.pool.spec.minSize - state.targetSize
      if (missing <= 0 || isLeaving(state) || state.memory.backoffAt(this.#context.clock.monotonic())) continue
      any = (await this.#increase(state, missing)) || any
    }
    return any
  }

  async #increase(state: PoolState, by: number): Promise<boolean> {
    const { pool, name, targetSize, group, memory } = state
    const { clock } = this.#context
    const { maxSize } = pool.spec
    try {
      await group.increase(by)
    } catch (error) {
      memory.backOff(clock.monotonic(), this.#settings, 'IncreaseRefused', textOf(error))
      this.#metrics.scaleUpFailed(isApiError(error) ? 'apiCallError' : 'cloudProviderError')
      this.#tell.ofPool(pool, 'Warning', 'FailedToScaleUpGroup', `Scale-up failed for group ${name}: ${textOf(error)}`)
      return false
    }
    this.#times.lastAdd = clock.monotonic()
    this.#metrics.scaledUp(by)
    this.#tell.ofPool(pool, 'Normal', 'ScaledUpGroup', `Scale-up: group ${name} size set to ${targetSize + by} instead of ${targetSize} (max: ${maxSize})`)
    return true
  }

  /** Whether a pool was made larger, or failed to, so that another look may find more to do. */
  async #grow(states: readonly PoolState[], client: ComponentContext['client']): Promise<boolean> {
    if (this.#view.pending.size === 0) {
      this.#tell.helpless([])
      return false
    }
    const { clock } = this.#context
    const unknownPools = this.#pools.list().length - states.length
    const priorities = this.#settings.expanders.includes('priority') ? await this.#priorities() : undefined
    const { expansion, shares, helpless } = decideScaleUp({ view: this.#view, pools: states, unknownPools, settings: this.#settings, clock, priorities })
    if (!expansion || shares.length === 0) {
      this.#tell.helpless(helpless)
      return false
    }
    const grown = []
    for (const share of shares) if (await this.#increase(share.state, share.nodes)) grown.push(share)
    if (grown.length > 0)
      this.#tell.triggered(
        expansion.pods.map(({ pod }) => pod),
        client,
        grown,
      )
    return true
  }

  async #priorities(): Promise<Map<number, RegExp[]> | undefined> {
    const configMap = await this.#context.client.find(ConfigMap, priorityConfigMap)
    if (!configMap) return undefined
    try {
      return readPriorities(configMap.data?.priorities ?? '')
    } catch (error) {
      const message = `Wrong configuration for priority expander: ${textOf(error)}. Ignoring update.`
      this.#tell.recorder.event(configMap, 'Warning', 'PriorityConfigMapInvalid', message)
      return undefined
    }
  }

  #shrink(unneeded: readonly UnneededNode[]): boolean {
    const chosen = chooseRemovals(unneeded, this.#times, this.#settings, this.#removals.counts())
    for (const one of chosen) this.#removals.unneeded(one)
    return chosen.length > 0
  }

  async #report({ states, problems }: KnownPools, unneeded: readonly UnneededNode[]): Promise<void> {
    const { client, clock } = this.#context
    const pools = this.#pools.list()
    for (const pool of pools) {
      const { name, deletionTimestamp } = pool.metadata
      const state = states.find((one) => one.name === name)
      const problem = problems.get(name)
      const deletion = deletionTimestamp ? this.#deletion.progress(pool, state, problem) : undefined
      await writePoolStatus(client, pool, poolStatus({ pool, state, problem, deletion }, clock))
    }
    const { registered, beingDeleted, ...nodes } = countNodes(this.#view, this.#view.nodes(), states)
    const all = this.#view.cache.nodes()
    this.#metrics.cluster({
      nodes,
      pools: pools.map(({ metadata: { name }, spec }) => {
        const state = states.find((one) => one.name === name)
        const backoff = state?.memory.backoffAt(clock.monotonic())?.reason
        return { name, min: spec.minSize, max: spec.maxSize, target: state?.targetSize ?? 0, healthy: state !== undefined, backoff }
      }),
      cores: all.reduce((sum, { capacity }) => sum + capacity.cpu, 0) / 1000,
      memoryBytes: all.reduce((sum, { capacity }) => sum + capacity.memory, 0),
    })
    const candidates = new Map<string, number>()
    for (const { state } of unneeded) candidates.set(state.name, (candidates.get(state.name) ?? 0) + 1)
    await this.#configMap.write(this.#view, states, { candidates, isSafe: this.#isSafe })
  }
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
