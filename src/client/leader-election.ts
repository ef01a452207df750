/**
 * One of several instances leads: the one that holds a Lease. The holder renews it; who has not seen it renewed
 * for its whole duration, by his own clock, takes it over. The holder stops before that could happen.
 * Timings as upstream: 15 s, 10 s, 2 s.
 */
import { type Clock, microTimestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { V1Lease } from '../machinery/schema/generated/types.ts'
import type { Client } from './client.ts'
import type { Logger } from './component.ts'
import { Lease } from './resources.ts'

/** How a component stands for election. */
export interface Election {
  /** Unlike that of any other instance that may run at the same time; a holder that comes back under it leads at once. */
  identity: string
  namespace?: string
  /** Of the Lease, where it is not the component's own name. */
  name?: string
  retryPeriodMs?: number
}

export interface LeaderElectionOptions {
  client: Client
  clock: Clock
  log: Logger
  namespace: string
  /** Of the Lease: `kube-scheduler`. */
  name: string
  identity: string
  leaseDurationMs?: number
  renewDeadlineMs?: number
  retryPeriodMs?: number
  signal: AbortSignal
  /** Leads until its signal is aborted, then has to end what it started; the next one may lead already. */
  lead(signal: AbortSignal): Promise<void>
  /** Told who leads, when that changes. */
  onLeader?(identity: string): void
  /** Where it is told whether this one leads. */
  metrics?: MetricRegistry
}

/** Stands for election until the signal is aborted, again and again; then gives the Lease back. */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const candidate = new Candidate(options)
  options.metrics
    ?.gauge('leader_election_master_status', 'Whether this instance leads (1) or waits (0), by Lease.', ['name'])
    .of(options.name)
    .follow(() => (candidate.leads ? 1 : 0))
  while (!options.signal.aborted) {
    if (!(await candidate.acquire())) return
    await candidate.leadWhileHeld()
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions
  readonly #leaseDurationMs: number
  readonly #renewDeadlineMs: number
  readonly #retryPeriodMs: number
  /** The Lease as last seen, and when it was first seen so, by our clock: clocks of others do not matter. */
  #observed: V1Lease | undefined
  #observedAt = 0
  #leader = ''
  leads = false

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000
  }

  /** Resolves true when we hold the Lease, false when the signal was aborted. */
  async acquire(): Promise<boolean> {
    const { signal, clock } = this.#options
    while (!signal.aborted) {
      if (await this.#tryHold(signal)) return true
      await clock.sleep(this.#retryPeriodMs * (1 + 1.2 * clock.random()), signal).catch(() => {})
    }
    return false
  }

  async leadWhileHeld(): Promise<void> {
    const { signal, clock, log, name } = this.#options
    const over = new AbortController()
    const leading = AbortSignal.any([signal, over.signal])
    log.info('leading', { lease: name })
    this.leads = true
    const work = this.#options.lead(leading).catch((error: unknown) => {
      log.error('leading failed', { lease: name, error })
      over.abort(error)
    })
    let renewedAt = clock.monotonic()
    while (!leading.aborted) {
      await clock.sleep(this.#retryPeriodMs, leading).catch(() => {})
      if (leading.aborted) break
      const start = clock.monotonic()
      const left = renewedAt + this.#renewDeadlineMs - start
      const deadline = new AbortController()
      const timer = clock.after(Math.max(0, left), () => deadline.abort(new Error('the renew deadline has passed')))
      const held = await this.#tryHold(AbortSignal.any([leading, deadline.signal]))
      timer.cancel()
      if (held) renewedAt = start
      else if (clock.monotonic() - renewedAt >= this.#renewDeadlineMs || this.#isHeldByOther()) {
        log.warn('lost the lease', { lease: name })
        over.abort(new Error(`lost the lease ${name}`))
      }
    }
    await work
    this.leads = false
    await this.#release()
  }

  #isHeldByOther(): boolean {
    const holder = this.#observed?.spec.holderIdentity
    return holder !== undefined && holder !== '' && holder !== this.#options.identity
  }

  /** Whether we hold the Lease now, after trying to take or renew it. */
  async #tryHold(signal: AbortSignal): Promise<boolean> {
    const { client, clock, identity, log, namespace, name } = this.#options
    try {
      const now = microTimestamp(clock.now())
      const mine = { holderIdentity: identity, leaseDurationSeconds: Math.round(this.#leaseDurationMs / 1000), acquireTime: now, renewTime: now }
      const renewed = await this.#renew(now, signal)
      if (renewed) return true
      let lease: V1Lease
      try {
        lease = await client.get(Lease, { namespace, name }, { signal })
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error
        this.#observe(await client.create(Lease, { metadata: { namespace, name }, spec: { ...mine, leaseTransitions: 0 } }, { signal }))
        return true
      }
      if (lease.metadata.resourceVersion !== this.#observed?.metadata.resourceVersion) this.#observe(lease)
      const { holderIdentity, acquireTime, leaseTransitions = 0 } = lease.spec
      const ours = holderIdentity === identity
      const valid = clock.monotonic() < this.#observedAt + this.#leaseDurationMs
      if (holderIdentity && valid && !ours) return false
      const spec = { ...lease.spec, ...mine, ...(ours ? { acquireTime } : {}), leaseTransitions: ours ? leaseTransitions : leaseTransitions + 1 }
      // The resource version in it lets only one of several win.
      this.#observe(await client.update(Lease, { ...lease, spec }, { signal }))
      return true
    } catch (error) {
      if (!this.#options.signal.aborted) log.debug('could not take or renew the lease', { lease: name, error })
      return false
    }
  }

  /** Renews without looking first, where the Lease was ours when last seen: the resource version tells whether it still is. */
  async #renew(renewTime: string, signal: AbortSignal): Promise<boolean> {
    const held = this.#observed
    if (held?.spec.holderIdentity !== this.#options.identity) return false
    try {
      this.#observe(await this.#options.client.update(Lease, { ...held, spec: { ...held.spec, renewTime } }, { signal }))
      return true
    } catch (error) {
      if (isApiError(error, 'Conflict') || isApiError(error, 'NotFound')) return false
      throw error
    }
  }

  #observe(lease: V1Lease): void {
    this.#observed = lease
    this.#observedAt = this.#options.clock.monotonic()
    const leader = lease.spec.holderIdentity ?? ''
    if (leader === this.#leader) return
    this.#leader = leader
    this.#options.onLeader?.(leader)
  }

  /** So that the next one need not wait until the Lease has run out. */
  async #release(): Promise<void> {
    const { client, identity, log, name } = this.#options
    if (this.#observed?.spec.holderIdentity !== identity) return
    const now = microTimestamp(this.#options.clock.now())
    const spec = { ...this.#observed.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now }
    try {
      this.#observe(await client.update(Lease, { ...this.#observed, spec }))
    } catch (error) {
      log.debug('could not release the lease', { lease: name, error })
    }
  }
}
