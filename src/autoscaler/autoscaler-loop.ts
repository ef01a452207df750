/** One decision after another, while this instance leads: what failed is given up, pools grow, pools shrink, all is told. */
import type { ComponentContext } from '../client/component.ts'
import type { Informer } from '../client/informer.ts'
import { ConfigMap } from '../client/resources.ts'
import type { Timer } from '../machinery/clock.ts'
import { Announcements } from './announcements.ts'
import { ClusterView } from './cluster-view.ts'
import type { NodePool, NodePoolKind } from './node-pool.ts'
import type { NodeProvider } from './node-provider.ts'
import { isBeingDeleted, PoolMemory, type PoolState, poolState } from './pool-state.ts'
import { removeNode, unmark } from './scale-down/node-removal.ts'
import { chooseRemovals, ScaleDownTimes } from './scale-down/scale-down.ts'
import { findUnneededNodes, type UnneededNode } from './scale-down/unneeded-nodes.ts'
import { readPriorities } from './scale-up/expanders.ts'
import { decideScaleUp } from './scale-up/scale-up.ts'
import type { AutoscalerSettings } from './settings.ts'
import { poolStatus, StatusConfigMap, writePoolStatus } from './status.ts'

export type Providers = Partial<Record<NodePoolKind, NodeProvider>>

const priorityConfigMap = { namespace: 'kube-system', name: 'cluster-autoscaler-priority-expander' }
/** Steps in one pass: what one pool leaves waiting, or fails to bring, the next may take on. */
const mostExpansions = 10

export class AutoscalerLoop {
  readonly #context: ComponentContext
  readonly #pools: Informer<NodePool>
  readonly #providers: Providers
  readonly #settings: AutoscalerSettings
  readonly #signal: AbortSignal
  readonly #view: ClusterView
  readonly #times: ScaleDownTimes
  readonly #tell: Announcements
  readonly #configMap: StatusConfigMap
  readonly #memories = new Map<string, PoolMemory>()
  readonly #removals = new Map<string, { draining: boolean; done: Promise<void> }>()
  /** Revisions that woke the next pass. */
  #seen: number[] = []
  #wake: (() => void) | undefined
  #woken = false
  #gathering: Timer | undefined

  constructor(context: ComponentContext, pools: Informer<NodePool>, providers: Providers, settings: AutoscalerSettings, signal: AbortSignal) {
    this.#context = context
    this.#pools = pools
    this.#providers = providers
    this.#settings = settings
    this.#signal = signal
    this.#view = new ClusterView(context, (revision) => this.wake(revision))
    this.#times = new ScaleDownTimes(context.clock)
    this.#tell = new Announcements(context)
    this.#configMap = new StatusConfigMap(context.client, context.clock)
  }

  /** Something happened; what else happens within a moment is looked at together with it. */
  wake(revision: number): void {
    if (this.#seen.length < 32) this.#seen.push(revision)
    this.#gathering ??= this.#context.clock.after(this.#settings.gatherMs, () => {
      this.#gathering = undefined
      this.#woken = true
      this.#wake?.()
    })
  }

  async run(): Promise<void> {
    const { log } = this.#context
    const unfollow = this.#pools.onChange(({ object, previous, revision }) => {
      if (object.metadata.generation !== previous?.metadata.generation) this.wake(revision)
    })
    try {
      await this.#view.whenSynced(this.#signal)
      await this.#takeOver()
      while (!this.#signal.aborted) {
        this.#woken = false
        const nextMs = await this.#pass().catch((error: unknown) => {
          if (!this.#signal.aborted) log.warn('a pass of the autoscaler failed', { error: String(error) })
          return this.#settings.scanIntervalMs
        })
        await this.#rest(Math.min(nextMs, this.#settings.scanIntervalMs))
      }
    } finally {
      unfollow()
      this.#gathering?.cancel()
      this.#view.close()
      await Promise.allSettled([...this.#removals.values()].map(({ done }) => done))
      this.#tell.recorder.stop()
    }
  }

  /** What another instance had begun to take out, and did not. */
  async #takeOver(): Promise<void> {
    for (const node of this.#view.nodes()) if (isBeingDeleted(node)) await unmark(this.#context.client, node.metadata.name)
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
    await Promise.all(
      Object.values(this.#providers).map((provider) =>
        provider.refresh().catch((error: unknown) => this.#context.log.warn('a provider could not be asked what there is', { error: String(error) })),
      ),
    )
    let { states, problems } = await this.#states()
    for (let i = 0; i < mostExpansions; i++) {
      const changed = (await this.#giveUp(states)) || (await this.#fillUp(states)) || (await this.#grow(states, client))
      if (!changed) break
      ;({ states, problems } = await this.#states())
    }
    const unneeded = findUnneededNodes(this.#view, states, this.#settings, new Set(this.#removals.keys())).unneeded
    this.#times.note(unneeded)
    if (this.#shrink(unneeded)) ({ states, problems } = await this.#states())
    await this.#report(states, problems, unneeded)
    return Math.min(
      ...unneeded.map((node) => Math.max(this.#times.left(node, this.#settings), 1000)),
      ...states.map(({ upcoming }) => (upcoming > 0 ? 1000 : Number.POSITIVE_INFINITY)),
    )
  }

  async #states(): Promise<{ states: PoolState[]; problems: Map<string, string> }> {
    const { clock } = this.#context
    const problems = new Map<string, string>()
    const pools = this.#pools.list().sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    for (const name of this.#memories.keys()) if (!pools.some(({ metadata }) => metadata.name === name)) this.#memories.delete(name)
    const states = await Promise.all(
      pools.map(async (pool) => {
        const { name } = pool.metadata
        const memory = this.#memories.get(name) ?? new PoolMemory()
        this.#memories.set(name, memory)
        const provider = this.#providers[pool.spec.kind]
        try {
          if (!provider) throw new Error(`nobody here makes nodes of kind ${pool.spec.kind}`)
          return [await poolState({ pool, group: await provider.group(pool), memory, view: this.#view, settings: this.#settings, clock })]
        } catch (error) {
          problems.set(name, textOf(error))
          return []
        }
      }),
    )
    return { states: states.flat(), problems }
  }

  /** Nodes that failed, or were not ready in time, go, and their pool is left alone for a while. */
  async #giveUp(states: readonly PoolState[]): Promise<boolean> {
    let any = false
    const now = this.#context.clock.monotonic()
    for (const { pool, name, memory, group, failed, lostWishes, settings } of states) {
      const lost = lostWishes > 0 ? [{ reason: 'Timeout', message: `${lostWishes} nodes did not come within ${settings.provisionMs / 1000}s` }] : []
      const [first] = [...failed, ...lost]
      if (!first) continue
      any = true
      memory.backOff(now, this.#settings, first.reason, first.message)
      if (first.reason === 'Timeout')
        this.#tell.ofPool(pool, 'Warning', 'ScaleUpTimedOut', `Nodes added to group ${name} failed to register within ${settings.provisionMs / 1000}s`)
      else this.#tell.ofPool(pool, 'Warning', 'FailedToScaleUpGroup', `Scale-up failed for group ${name}: ${first.message}`)
      try {
        if (failed.length > 0) await group.remove(failed.map(({ instance }) => instance))
        if (lostWishes > 0) await group.takeBack(lostWishes)
        for (const { instance } of failed) this.#tell.ofAll('Normal', 'DeleteUnregistered', `Removed unregistered node ${instance.id}`)
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
      if (missing <= 0 || state.pool.metadata.deletionTimestamp || state.memory.backoffAt(this.#context.clock.monotonic())) continue
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
      this.#tell.ofPool(pool, 'Warning', 'FailedToScaleUpGroup', `Scale-up failed for group ${name}: ${textOf(error)}`)
      return false
    }
    this.#times.lastAdd = clock.monotonic()
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
    const priorities = this.#settings.expanders.includes('priority') ? await this.#priorities() : undefined
    const { expansion, helpless } = decideScaleUp({ view: this.#view, pools: states, settings: this.#settings, clock, priorities })
    const state = states.find(({ name }) => name === expansion?.pool)
    if (!expansion || !state) {
      this.#tell.helpless(helpless)
      return false
    }
    const { targetSize, name, pool } = state
    if (await this.#increase(state, expansion.nodes))
      this.#tell.triggered(
        expansion.pods.map(({ pod }) => pod),
        client,
        name,
        targetSize,
        targetSize + expansion.nodes,
        pool.spec.maxSize,
      )
    return true
  }

  async #priorities(): Promise<Map<number, RegExp[]> | undefined> {
    const configMap = await this.#context.client.find(ConfigMap, priorityConfigMap)
    if (!configMap) return undefined
    try {
      return readPriorities(configMap.data?.priorities ?? '')
    } catch (error) {
      this.#tell.recorder.event(
        configMap,
        'Warning',
        'PriorityConfigMapInvalid',
        `Wrong configuration for priority expander: ${textOf(error)}. Ignoring update.`,
      )
      return undefined
    }
  }

  #shrink(unneeded: readonly UnneededNode[]): boolean {
    const running = [...this.#removals.values()]
    const chosen = chooseRemovals(unneeded, this.#times, this.#settings, { all: running.length, draining: running.filter(({ draining }) => draining).length })
    for (const one of chosen) {
      const { name } = one.node
      const done = this.#remove(one).finally(() => {
        this.#removals.delete(name)
        this.wake(0)
      })
      this.#removals.set(name, { draining: one.pods.length > 0, done })
    }
    return chosen.length > 0
  }

  async #remove({ node, pods, state, instance }: UnneededNode): Promise<void> {
    const { client, clock, log } = this.#context
    const isEmpty = pods.length === 0
    this.#tell.ofPool(state.pool, 'Normal', isEmpty ? 'ScaleDownEmpty' : 'ScaleDown', `Scale-down: removing ${isEmpty ? 'empty ' : ''}node ${node.name}`)
    const caused = client.because({ component: 'cluster-autoscaler', seen: [] })
    try {
      await removeNode({
        client: caused,
        clock,
        events: this.#tell.recorder,
        settings: this.#settings,
        signal: this.#signal,
        node: node.node,
        instance,
        group: state.group,
        pods,
      })
      this.#times.lastDelete = clock.monotonic()
      this.#tell.ofPool(
        state.pool,
        'Normal',
        isEmpty ? 'ScaleDownEmpty' : 'ScaleDown',
        `Scale-down: ${isEmpty ? `empty node ${node.name} removed` : `node ${node.name} removed with drain`}`,
      )
    } catch (error) {
      this.#times.lastFailure = clock.monotonic()
      if (!this.#signal.aborted) log.warn('a node was not taken out', { node: node.name, error: String(error) })
    }
  }

  async #report(states: readonly PoolState[], problems: ReadonlyMap<string, string>, unneeded: readonly UnneededNode[]): Promise<void> {
    const { client, clock } = this.#context
    const candidates = new Map<string, number>()
    for (const { state } of unneeded) candidates.set(state.name, (candidates.get(state.name) ?? 0) + 1)
    for (const pool of this.#pools.list()) {
      const { name } = pool.metadata
      const state = states.find((one) => one.name === name)
      await writePoolStatus(client, pool, poolStatus(pool, state, problems.get(name), clock))
    }
    await this.#configMap.write(this.#view, states, { candidates })
  }
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
