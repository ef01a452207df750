/**
 * What happens to a pool that is deleted: its nodes are cordoned, drained and ended, their objects deleted, and only
 * then the pool goes. Each step looks at what is there, so that it does not matter who took the one before, and when.
 */
import type { ComponentContext } from '../client/component.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { Announcements } from './announcements.ts'
import { type ClusterView, isGone } from './cluster-view.ts'
import { deleteNode } from './node-deletion.ts'
import { defaultDrainSeconds, leavingAnnotation, NodePool, poolFinalizer } from './node-pool.ts'
import { isNodeOf } from './node-provider.ts'
import { isMarked, type PoolState } from './pool-state.ts'
import { mark } from './scale-down/node-mark.ts'
import type { NodeRemovals } from './scale-down/node-removals.ts'

export interface PoolDeletionOptions {
  context: ComponentContext
  view: ClusterView
  tell: Announcements
  removals: NodeRemovals
}

export interface DeletionProgress {
  reason: 'RemovingNodes' | 'WaitingForBudgets' | 'ProviderFailed'
  message: string
}

/** Tells that the pool has nodes that have to go before it. */
export const holdsItsPool = ({ metadata }: NodePool): boolean => metadata.finalizers?.includes(poolFinalizer) ?? false

/** When budgets are not respected any more, in milliseconds since the epoch. */
const patienceEnds = ({ metadata, spec }: NodePool): number => Date.parse(metadata.deletionTimestamp ?? '') + (spec.drainSeconds ?? defaultDrainSeconds) * 1000

/** How whoever may change pools lets one go whose nodes cannot be ended. */
const releaseByHand = (name: string) => `kubectl patch nodepool ${name} --type=merge -p '{"metadata":{"finalizers":null}}'`

export class PoolDeletion {
  readonly #options: PoolDeletionOptions
  /** By name: what did not succeed in the last step. */
  readonly #failures = new Map<string, string>()
  /** Uids of pools of which it was told that they go. */
  readonly #told = new Set<string>()

  constructor(options: PoolDeletionOptions) {
    this.#options = options
  }

  /** One step: begins all that can be begun now, and waits for nothing that takes long. */
  async advance(state: PoolState): Promise<void> {
    const { pool, name, members } = state
    if (!holdsItsPool(pool)) return
    const { tell, context } = this.#options
    if (!this.#told.has(pool.metadata.uid)) {
      this.#told.add(pool.metadata.uid)
      const until = timestamp(patienceEnds(pool))
      tell.ofPool(pool, 'Normal', 'RemovingNodes', `The pool is deleted: ${members.length} nodes are drained and removed; budgets are respected until ${until}`)
    }
    const { clock } = context
    try {
      // All of them first: what leaves one node is not to be put on the next.
      await Promise.all(members.filter(({ node }) => !isMarked(node)).map(({ node }) => mark(context.client, node, name, clock)))
      const until = clock.monotonic() + patienceEnds(pool) - clock.now()
      for (const member of members) this.#options.removals.ofDeletedPool(state, member, until)
      const changed = await this.#withoutNodes(state)
      if (!changed && members.length === 0) await this.#letGo(state)
      this.#failures.delete(name)
    } catch (error) {
      // Others changed it at the same moment: the next step sees how.
      if (isGone(error) || isApiError(error, 'Conflict')) return
      this.#failures.set(name, error instanceof Error ? error.message : String(error))
      context.log.warn('a deleted pool could not be worked on', { pool: name, error: String(error) })
    }
  }

  /** `problem`: why the pool cannot be worked with. */
  progress(pool: NodePool, state: PoolState | undefined, problem: string | undefined): DeletionProgress {
    const { name } = pool.metadata
    const failure = problem ?? this.#failures.get(name)
    if (failure !== undefined || !state) {
      const message = `its nodes cannot be removed: ${failure ?? 'it is not known which they are'}. To let the pool go and leave its nodes: ${releaseByHand(name)}`
      return { reason: 'ProviderFailed', message }
    }
    const heldUp = this.#options.removals.heldUp(name)
    const there = state.instances.length === 1 ? '1 node is' : `${state.instances.length} nodes are`
    if (heldUp.size === 0) return { reason: 'RemovingNodes', message: `${there} still there` }
    const which = [...heldUp].map(([node, by]) => `${node} waits for ${by}`).join('; ')
    return { reason: 'WaitingForBudgets', message: `${there} still there: ${which}; after ${timestamp(patienceEnds(pool))} they are removed all the same` }
  }

  /** What is no node yet, and what is none any more. Whether there was anything. */
  async #withoutNodes({ group, name, instances, members, targetSize }: PoolState): Promise<boolean> {
    const { context, view } = this.#options
    const living = instances.filter(({ state }) => state !== 'deleting')
    const unregistered = living.filter(({ id }) => !members.some(({ instance }) => instance.id === id))
    if (unregistered.length > 0) await group.remove(unregistered)
    const wishes = targetSize - living.length
    if (wishes > 0) await group.takeBack(wishes)
    const left = view
      .nodes()
      .filter((node) => node.metadata.annotations?.[leavingAnnotation] === name && !instances.some((instance) => isNodeOf(instance, node)))
      .filter((node) => !this.#options.removals.names().has(node.metadata.name))
    for (const node of left) await deleteNode(context.client, node.metadata)
    return unregistered.length > 0 || wishes > 0 || left.length > 0 || instances.length > 0
  }

  async #letGo({ pool, name }: PoolState): Promise<void> {
    const { context, tell } = this.#options
    const current = await context.client.get(NodePool, { name })
    if (current.metadata.uid !== pool.metadata.uid) return
    const { resourceVersion, finalizers = [] } = current.metadata
    const rest = finalizers.filter((one) => one !== poolFinalizer)
    tell.ofPool(pool, 'Normal', 'NodesRemoved', 'All nodes of the pool are removed')
    // With the last pool the recorder goes too.
    await tell.recorder.flush()
    await context.client.patch(NodePool, { name }, 'merge', { metadata: { resourceVersion, finalizers: rest } })
    this.#told.delete(pool.metadata.uid)
  }
}
