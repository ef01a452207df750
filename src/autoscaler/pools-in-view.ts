/** All pools at the moment of a decision, those among them that cannot be worked with, and what is remembered of each. */
import type { ComponentContext } from '../client/component.ts'
import type { Informer } from '../client/informer.ts'
import type { Announcements } from './announcements.ts'
import { type ClusterView, isGone } from './cluster-view.ts'
import { NodePool, type NodePoolKind, poolFinalizer } from './node-pool.ts'
import type { NodeGroup, NodeProvider } from './node-provider.ts'
import { holdsItsPool } from './pool-deletion.ts'
import { type NodesByInstance, nodesByInstance, PoolMemory, type PoolState, poolState } from './pool-state.ts'
import type { AutoscalerSettings } from './settings.ts'

export type Providers = Partial<Record<NodePoolKind, NodeProvider>>

export interface KnownPools {
  states: PoolState[]
  /** By name, why a pool cannot be worked with. */
  problems: Map<string, string>
}

export interface PoolsInViewOptions {
  context: ComponentContext
  pools: Informer<NodePool>
  providers: Providers
  view: ClusterView
  settings: AutoscalerSettings
  tell: Announcements
}

export class PoolsInView {
  readonly #options: PoolsInViewOptions
  readonly #memories = new Map<string, PoolMemory>()
  readonly #problems = new Map<string, string>()

  constructor(options: PoolsInViewOptions) {
    this.#options = options
  }

  list(): NodePool[] {
    return this.#options.pools.list().sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  }

  /** Asks each provider for what there is. */
  async look(): Promise<KnownPools> {
    const pools = this.list()
    const problems = new Map<string, string>()
    for (const name of [...this.#memories.keys()]) if (!pools.some(({ metadata }) => metadata.name === name)) this.#forget(name)
    const nodes = nodesByInstance(this.#options.view.nodes())
    const groups = await this.#groups(pools, problems)
    const states = await Promise.all(
      [...groups].map(async ([pool, group]) => {
        try {
          return [await this.#stateOf(pool, group, nodes)]
        } catch (error) {
          problems.set(pool.metadata.name, textOf(error))
          return []
        }
      }),
    )
    for (const pool of pools) this.#tellProblem(pool, problems.get(pool.metadata.name))
    return { states: states.flat(), problems }
  }

  /** Whose nodes each pool has: nobody's twice. */
  async #groups(pools: readonly NodePool[], problems: Map<string, string>): Promise<Map<NodePool, NodeGroup>> {
    const { providers } = this.#options
    const found = await Promise.allSettled(
      pools.map(async (pool) => {
        const provider = providers[pool.spec.kind]
        if (!provider) throw new Error(`nobody here makes nodes of kind ${pool.spec.kind}`)
        return provider.group(pool)
      }),
    )
    const groups = new Map<NodePool, NodeGroup>()
    const owners = new Map<NodeGroup, string>()
    const inOrder = pools.map((pool, index) => ({ pool, result: found[index] })).sort((a, b) => ageOf(a.pool) - ageOf(b.pool))
    for (const { pool, result } of inOrder) {
      const { name } = pool.metadata
      if (result?.status !== 'fulfilled') {
        problems.set(name, textOf(result?.reason))
        continue
      }
      const owner = owners.get(result.value)
      if (owner === undefined) {
        owners.set(result.value, name)
        groups.set(pool, result.value)
      } else problems.set(name, `its node group is that of the pool ${owner}, and can be of one alone`)
    }
    return new Map(
      pools.flatMap((pool) => {
        const group = groups.get(pool)
        return group ? [[pool, group] as const] : []
      }),
    )
  }

  async #stateOf(pool: NodePool, group: NodeGroup, nodes: NodesByInstance): Promise<PoolState> {
    const { name } = pool.metadata
    const { view, settings, context } = this.#options
    const memory = this.#memories.get(name) ?? new PoolMemory()
    this.#memories.set(name, memory)
    await this.#hold(pool)
    return poolState({ pool, group, memory, view, nodes, settings, clock: context.clock })
  }

  /** Before it can have nodes, it must not go without them. */
  async #hold(pool: NodePool): Promise<void> {
    if (holdsItsPool(pool) || pool.metadata.deletionTimestamp) return
    const { client } = this.#options.context
    const { name } = pool.metadata
    try {
      const { metadata } = await client.get(NodePool, { name })
      if (metadata.deletionTimestamp || metadata.finalizers?.includes(poolFinalizer)) return
      const finalizers = [...(metadata.finalizers ?? []), poolFinalizer]
      await client.patch(NodePool, { name }, 'merge', { metadata: { resourceVersion: metadata.resourceVersion, finalizers } })
    } catch (error) {
      if (isGone(error)) throw new Error(`the pool ${name} is gone`)
      throw error
    }
  }

  #tellProblem(pool: NodePool, problem: string | undefined): void {
    const { name } = pool.metadata
    if (problem === undefined) this.#problems.delete(name)
    else if (this.#problems.get(name) !== problem) {
      this.#problems.set(name, problem)
      this.#options.tell.ofPool(pool, 'Warning', 'ProviderFailed', problem)
    }
  }

  #forget(name: string): void {
    this.#memories.delete(name)
    this.#problems.delete(name)
  }
}

/** The older a pool, the better its right to its nodes. */
const ageOf = ({ metadata }: NodePool) => Date.parse(metadata.creationTimestamp)

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
