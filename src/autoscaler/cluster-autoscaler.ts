/**
 * The cluster autoscaler: keeps NodePools as large as the pods need. While there is no NodePool it watches for one and
 * does nothing else: it stands for election, and follows pods and nodes, from the first one to the last.
 */
import type { Component, ComponentContext } from '../client/component.ts'
import { createInformerFactory } from '../client/informer-factory.ts'
import { type Election, runLeaderElection } from '../client/leader-election.ts'
import { AutoscalerLoop, type Providers } from './autoscaler-loop.ts'
import { NodePool } from './node-pool.ts'
import { ensureNodePools } from './node-pool-definition.ts'
import { type AutoscalerSettings, defaultSettings } from './settings.ts'

export interface ClusterAutoscalerOptions {
  /** Who makes nodes, by kind of pool; closed at the end. */
  providers: Providers
  settings?: Partial<AutoscalerSettings>
  /** Absent: it decides at once (one instance). */
  leaderElection?: Election
}

const retryMs = 5_000

export function startClusterAutoscaler(context: ComponentContext, options: ClusterAutoscalerOptions): Component {
  const stopped = new AbortController()
  const ended = new ClusterAutoscaler(context, options).run(stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) context.log.error('the cluster autoscaler ended', { error: String(error) })
  })
  return {
    name: 'cluster-autoscaler',
    async stop() {
      stopped.abort(new Error('the cluster autoscaler was stopped'))
      await ended
      await Promise.all(Object.values(options.providers).map((provider) => provider.close()))
    },
  }
}

class ClusterAutoscaler {
  readonly #context: ComponentContext
  readonly #options: ClusterAutoscalerOptions
  readonly #settings: AutoscalerSettings

  constructor(context: ComponentContext, options: ClusterAutoscalerOptions) {
    this.#context = context
    this.#options = options
    this.#settings = { ...defaultSettings, ...options.settings }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log, informers } = this.#context
    for (let known = false; !known && !signal.aborted; ) {
      known = await ensureNodePools(client).then(
        () => true,
        (error: unknown) => {
          log.warn('the kind NodePool could not be defined', { error: String(error) })
          return false
        },
      )
      if (!known) await clock.sleep(retryMs, signal)
    }
    const pools = informers.informer(NodePool)
    while (!signal.aborted) {
      await pools.until(() => pools.list().length > 0, signal)
      const idle = new AbortController()
      const unfollow = pools.onChange(() => {
        if (pools.list().length === 0) idle.abort(new Error('the last NodePool is gone'))
      })
      await this.#work(AbortSignal.any([signal, idle.signal]))
      unfollow()
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { client, clock, log, informers } = this.#context
    const { providers, leaderElection: election } = this.#options
    const lead = async (leading: AbortSignal) => {
      const own = createInformerFactory({ client, clock, log })
      try {
        await new AutoscalerLoop({ ...this.#context, informers: own }, informers.informer(NodePool), providers, this.#settings, leading).run()
      } finally {
        own.stop()
      }
    }
    if (!election) return lead(signal)
    await runLeaderElection({
      client,
      clock,
      log,
      namespace: election.namespace ?? 'kube-system',
      name: election.name ?? 'cluster-autoscaler',
      identity: election.identity,
      retryPeriodMs: election.retryPeriodMs,
      signal,
      lead,
    })
  }
}
