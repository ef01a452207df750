/**
 * Whether extension servers answer, looked at when something of them changes and every so often; written into their
 * APIService as its condition Available. What the look shows of their APIs is kept for discovery.
 */

import { isDeepStrictEqual } from 'node:util'
import type { Timer } from '../../machinery/clock.ts'
import { timestamp } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { Family, Series } from '../../machinery/metrics/registry.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { DiscoveredEntry, ServerAccess } from '../contracts.ts'
import { internalRequest } from '../internal-request.ts'
import type { ExtensionClient } from './extension-client.ts'
import { type FoundApis, fetchApis, noApis } from './fetch-apis.ts'
import { availableCondition, type RemoteService } from './remote-service.ts'
import { NotFound } from './service-endpoints.ts'

interface Watched {
  service: RemoteService
  available: boolean
  apis: FoundApis
  failures: number
  /** The look that is going on. */
  looking: boolean
  again: boolean
  timer: Timer | undefined
}

interface Verdict {
  status: 'True' | 'False'
  reason: string
  message: string
}

const apiServices = 'apiservices.apiregistration.k8s.io'
const everyMs = 30_000
const firstRetryMs = 500
/** Several slices and a Service change together. */
const settleMs = 20

export class AvailabilityChecks {
  readonly #server: ServerAccess
  readonly #client: ExtensionClient
  readonly #watched = new Map<string, Watched>()
  readonly #lost: Family<Series>
  #generation = 0

  constructor(server: ServerAccess, client: ExtensionClient) {
    this.#server = server
    this.#client = client
    this.#lost = server.metrics.counter('aggregator_unavailable_apiservice_total', 'Times that an extension server was found not to answer, by reason.', [
      'name',
      'reason',
    ])
    server.metrics.read('aggregator_unavailable_apiservice', 'gauge', 'Whether an extension server does not answer.', ['name'], () =>
      [...this.#watched].map(([name, { available }]) => [[name], available ? 0 : 1]),
    )
  }

  get generation(): number {
    return this.#generation
  }

  isAvailable(name: string): boolean {
    return this.#watched.get(name)?.available ?? false
  }

  resourcesOf(name: string): readonly DiscoveredEntry[] {
    return this.#watched.get(name)?.apis.resources ?? []
  }

  openApiOf(name: string): Pick<FoundApis, 'paths' | 'v2'> {
    return this.#watched.get(name)?.apis ?? noApis
  }

  /** What the object says from an earlier look holds until the next. */
  watch(service: RemoteService, object: AnyObject, waitMs: number): void {
    const watched: Watched = {
      service,
      available: availableCondition(object)?.status === 'True',
      apis: noApis,
      failures: 0,
      looking: false,
      again: false,
      timer: undefined,
    }
    this.#watched.set(service.name, watched)
    this.#generation++
    this.#lookAfter(watched, waitMs)
  }

  forget(name: string): void {
    this.#watched.get(name)?.timer?.cancel()
    if (this.#watched.delete(name)) this.#generation++
  }

  serviceChanged(object: AnyObject | undefined, name: string | undefined): void {
    for (const watched of this.#watched.values()) {
      const { service } = watched.service
      if (service.name === name && service.namespace === object?.metadata.namespace) this.#lookAfter(watched, settleMs)
    }
  }

  stop(): void {
    for (const name of [...this.#watched.keys()]) this.forget(name)
  }

  #lookAfter(watched: Watched, ms: number): void {
    watched.timer?.cancel()
    watched.timer = this.#server.clock.after(ms, () => {
      this.#look(watched).catch((error: unknown) =>
        this.#server.log('warn', 'availability could not be written', { apiService: watched.service.name, error: String(error) }),
      )
    })
  }

  async #look(watched: Watched): Promise<void> {
    if (watched.looking) {
      watched.again = true
      return
    }
    watched.looking = true
    const verdict = await this.#verdict(watched)
    watched.looking = false
    if (this.#watched.get(watched.service.name) !== watched) return
    const available = verdict.status === 'True'
    watched.failures = available ? 0 : watched.failures + 1
    if (!available && watched.available) this.#lost.of(watched.service.name, verdict.reason).add()
    if (watched.available !== available) this.#generation++
    watched.available = available
    const wait = available ? everyMs : Math.min(everyMs, firstRetryMs * 2 ** (watched.failures - 1))
    this.#lookAfter(watched, watched.again ? settleMs : wait)
    watched.again = false
    await this.#write(watched.service.name, verdict)
  }

  async #verdict(watched: Watched): Promise<Verdict> {
    try {
      const apis = await fetchApis(this.#server, this.#client, watched.service, watched.apis)
      if (!isDeepStrictEqual(apis, watched.apis)) this.#generation++
      watched.apis = apis
      return { status: 'True', reason: 'Passed', message: 'all checks passed' }
    } catch (error) {
      const reason = error instanceof NotFound ? error.reason : 'FailedDiscoveryCheck'
      return { status: 'False', reason, message: error instanceof Error ? error.message : String(error) }
    }
  }

  async #write(name: string, verdict: Verdict): Promise<void> {
    const cached = await this.#server.cached(apiServices)
    for (let attempt = 0; attempt < 5; attempt++) {
      const object = cached.get('', name)
      if (!object) return
      const before = availableCondition(object)
      if (before?.status === verdict.status && before.reason === verdict.reason && before.message === verdict.message) return
      const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : timestamp(this.#server.clock.now())
      const others = ((object as { status?: { conditions?: { type: string }[] } }).status?.conditions ?? []).filter(({ type }) => type !== 'Available')
      const status = { conditions: [...others, { type: 'Available', ...verdict, lastTransitionTime }] }
      try {
        await internalRequest(this.#server, 'PUT', `/apis/apiregistration.k8s.io/v1/apiservices/${name}/status`, { ...object, status })
        return
      } catch (error) {
        if (isApiError(error, 'NotFound')) return
        if (!isApiError(error, 'Conflict')) throw error
      }
    }
  }
}
