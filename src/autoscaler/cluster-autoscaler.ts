/**
 * The cluster autoscaler: keeps NodePools as large as the pods need. While there is no NodePool it watches for one and
 * does nothing else: it stands for election, and follows pods and nodes, from the first one to the last.
 */
import type { Component, ComponentContext } from '../client/component.ts'
import { createInformerFactory } from '../client/informer-factory.ts'
import { type Election, runLeaderElection } from '../client/leader-election.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { AutoscalerLoop } from './autoscaler-loop.ts'
import { AutoscalerMetrics } from './autoscaler-metrics.ts'
import { NodePool } from './node-pool.ts'
import { ensureNodePools } from './node-pool-definition.ts'
import type { Providers } from './pools-in-view.ts'
import { type AutoscalerSettings, defaultSettings } from './settings.ts'

export interface ClusterAutoscalerOptions {
  /** Who makes nodes, by kind of pool; closed at the end. */
  providers: Providers
  settings?: Partial<AutoscalerSettings>
  /** Absent: it decides at once (one instance). */
  leaderElection?: Election
}

const retryMs = 5_000

export interface RunningAutoscaler extends Component {
  /** Why it is not well; undefined: it is, or another one leads. */
  unwell(): string | undefined
}

/** As upstream: so long may every pass fail before whoever watches over the process should start it anew. */
const mostFailingMs = 15 * 60_000

export function startClusterAutoscaler(context: ComponentContext, options: ClusterAutoscalerOptions): RunningAutoscaler {
  const stopped = new AbortController()
  const autoscaler = new ClusterAutoscaler(context, options)
  const ended = autoscaler.run(stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) context.log.error('the cluster autoscaler ended', { error: String(error) })
  })
  return {
    name: 'cluster-autoscaler',
    unwell: () => autoscaler.unwell(),
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
  readonly #metrics: AutoscalerMetrics
  #leads = false

  constructor(context: ComponentContext, options: ClusterAutoscalerOptions) {
    this.#context = context
    this.#options = options
    this.#settings = { ...defaultSettings, ...options.settings }
    const { maxNodesTotal: maxNodes, maxCores, maxMemoryBytes } = this.#settings
    this.#metrics = new AutoscalerMetrics(context.metrics ?? new MetricRegistry(), context.clock)
    this.#metrics.limits({ maxNodes, maxCores, maxMemoryBytes })
  }

  unwell(): string | undefined {
    const ms = this.#context.clock.monotonic() - this.#metrics.lastSuccessAt
    return this.#leads && ms > mostFailingMs ? `no pass succeeded in the last ${Math.floor(ms / 1000)}s` : undefined
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
      const end = () => idle.abort(new Error('the last NodePool is gone'))
      const unfollow = pools.onChange(() => {
        // Who leads has to put things in order first.
        if (pools.list().length === 0 && !this.#leads) end()
      })
      await this.#work(AbortSignal.any([signal, idle.signal]), end)
      unfollow()
    }
  }

  async #work(signal: AbortSignal, onIdle: () => void): Promise<void> {
    const { client, clock, log, informers } = this.#context
    const { providers, leaderElection: election } = this.#options
    const lead = async (leading: AbortSignal) => {
      const own = createInformerFactory({ client, clock, log })
      this.#leads = true
      this.#metrics.lastSuccessAt = clock.monotonic()
      try {
        const context = { ...this.#context, informers: own }
        const pools = informers.informer(NodePool)
        await new AutoscalerLoop({ context, pools, providers, settings: this.#settings, metrics: this.#metrics, signal: leading, onIdle }).run()
      } finally {
        this.#leads = false
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
      ...(this.#context.metrics ? { metrics: this.#context.metrics } : {}),
      signal,
      lead,
    })
  }
}
