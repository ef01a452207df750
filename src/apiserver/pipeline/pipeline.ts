/**
 * The way of a request, step by step: who calls, what they ask, whether they may, who serves it. An error on the way
 * is an answer too.
 */
import type { Clock } from '../../machinery/clock.ts'
import { ApiError, badRequest, forbidden, internalError, noSuchPath, serviceUnavailable, unauthorized } from '../../machinery/errors.ts'
import type { MetricRegistry } from '../../machinery/metrics/registry.ts'
import { StoreClosed } from '../../store/store.ts'
import { forbiddenReason } from '../authorization/forbidden-reason.ts'
import type { Authenticator, AuthorizationAttributes, Authorizer, Decision, RequestHandler, ResourceTable } from '../contracts.ts'
import { LongRunning } from '../metrics/long-running.ts'
import type { RequestMetrics } from '../metrics/request-metrics.ts'
import type { BodyDecoder } from '../negotiation/body.ts'
import type { Registries } from '../registry/registries.ts'
import { serveResource } from '../registry/serve.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UserInfo } from '../request.ts'
import { parseRequestInfo } from '../request-info.ts'
import { authorize } from './authorize.ts'
import { timeOf, within } from './deadline.ts'
import type { HandlerTable } from './handlers.ts'
import { InFlight, type InFlightLimits } from './in-flight.ts'
import { isLongRunning } from './long-running.ts'
import { RequestScope } from './request-scope.ts'

export interface PipelineOptions {
  clock: Clock
  authenticators: readonly Authenticator[]
  authorizers: readonly Authorizer[]
  handlers: HandlerTable
  /** See `ServerPart.route`. */
  routes: readonly ((info: RequestInfo) => RequestHandler | undefined)[]
  resources: ResourceTable
  registries: Registries
  metrics: RequestMetrics
  registry: MetricRegistry
  bodies: BodyDecoder
  limits?: InFlightLimits
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

export class Pipeline {
  readonly #options: PipelineOptions
  readonly inFlight: InFlight
  readonly #longRunning: LongRunning

  constructor(options: PipelineOptions) {
    this.#options = options
    this.inFlight = new InFlight(options.clock, options.limits)
    this.#longRunning = new LongRunning(options.registry)
  }

  async handle(request: ApiRequest): Promise<ApiResponse> {
    const { clock, metrics } = this.#options
    const started = clock.monotonic()
    let info: RequestInfo | undefined
    let response: ApiResponse
    try {
      info = parse(request)
      const user = request.user ?? (await this.authenticate(request))
      if (!user) throw unauthorized()
      // Parts of this very process bound themselves, and have nobody to tell to come again.
      response = request.user ? await this.#answer(request, info, user) : await this.#bounded(request, info, user)
    } catch (error) {
      response = this.#failure(error, request)
    }
    if (!info) return response
    metrics.observe(info, request, response, (clock.monotonic() - started) / 1000)
    return isLongRunning(info) ? this.#longRunning.begins(info, request, response) : response
  }

  async #answer(request: ApiRequest, info: RequestInfo, user: UserInfo): Promise<ApiResponse> {
    await this.#mayDo(user, info)
    return this.#serve(request, info, user)
  }

  /** In number and in time. */
  async #bounded(request: ApiRequest, info: RequestInfo, user: UserInfo): Promise<ApiResponse> {
    const leave = await this.#enter(user, info)
    const answered = this.#answer(request, info, user)
    if (leave) answered.then(leave, leave)
    if (isLongRunning(info)) return answered
    return within(this.#options.clock, timeOf(request), answered, () => this.#options.metrics.terminated(info, 504))
  }

  async #enter(user: UserInfo, info: RequestInfo): Promise<(() => void) | undefined> {
    try {
      return await this.inFlight.enter(user, info)
    } catch (error) {
      this.#options.metrics.terminated(info, 429)
      throw error
    }
  }

  async authenticate(request: ApiRequest): Promise<UserInfo | undefined> {
    const { clock, metrics } = this.#options
    const start = clock.monotonic()
    let user: UserInfo | undefined
    try {
      user = await this.#callerOf(request)
    } finally {
      const expires = user && request.certificate?.expires
      metrics.authenticated(user, (clock.monotonic() - start) / 1000, expires === undefined ? undefined : (expires - clock.now()) / 1000)
    }
    return user
  }

  async #callerOf(request: ApiRequest): Promise<UserInfo | undefined> {
    for (const authenticator of this.#options.authenticators) {
      const answer = authenticator.authenticate(request)
      const user = answer instanceof Promise ? await answer : answer
      if (user) return user
    }
    return undefined
  }

  authorize(attributes: AuthorizationAttributes): Promise<Decision> {
    return authorize(this.#options.authorizers, attributes)
  }

  async #mayDo(user: UserInfo, info: RequestInfo): Promise<void> {
    const { clock, metrics } = this.#options
    const start = clock.monotonic()
    const { decision, reason } = await this.authorize({ user, info })
    metrics.authorized(decision, (clock.monotonic() - start) / 1000)
    if (decision === 'allowed') return
    const about = { group: info.group, resource: info.resource, name: info.name }
    throw forbidden(about, forbiddenReason({ user, info }, reason))
  }

  async #serve(request: ApiRequest, info: RequestInfo, user: UserInfo): Promise<ApiResponse> {
    const { resources, handlers, registries, clock, bodies } = this.#options
    const resource = info.isResourceRequest ? resources.get(info.group, info.version, info.resource) : undefined
    const scope = new RequestScope(request, info, user, resource, request.headers['audit-id'] ?? clock.uuid(), bodies)
    if (resource?.deprecation) {
      scope.warn(resource.deprecation)
      this.#options.metrics.deprecated(info)
    }
    const handler = this.#routed(info) ?? handlers.find(info)
    let response: ApiResponse
    if (handler) response = await handler.handle(scope)
    else if (resource && !resource.virtual) response = await serveResource(registries.of(resource), scope)
    else throw noSuchPath()
    return withHead(response, scope)
  }

  #routed(info: RequestInfo): RequestHandler | undefined {
    for (const route of this.#options.routes) {
      const handler = route(info)
      if (handler) return handler
    }
    return undefined
  }

  #failure(error: unknown, request: ApiRequest): ApiResponse {
    const known = error instanceof ApiError ? error : this.#unknown(error, request)
    const { status } = known
    const retryAfter = status.details?.retryAfterSeconds
    return { kind: 'object', status: known.code, object: status, ...(retryAfter ? { headers: { 'retry-after': String(retryAfter) } } : {}) }
  }

  #unknown(error: unknown, request: ApiRequest): ApiError {
    if (error instanceof StoreClosed) return serviceUnavailable('the server is shutting down')
    if (request.signal.aborted)
      return new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Timeout', message: 'the client went away', code: 499 })
    const message = error instanceof Error ? error.message : String(error)
    this.#options.log('error', 'a request failed by a fault of the server', {
      method: request.method,
      path: request.path,
      error: error instanceof Error ? (error.stack ?? message) : message,
    })
    return internalError(message)
  }
}

function parse(request: ApiRequest): RequestInfo {
  try {
    return parseRequestInfo(request.method, request.path, request.query)
  } catch (error) {
    if (error instanceof URIError) throw badRequest(`invalid URL escape in ${JSON.stringify(request.path)}`)
    throw error
  }
}

function withHead(response: ApiResponse, scope: RequestScope): ApiResponse {
  if (response.kind === 'hijacked') return response
  const headers = { ...response.headers, 'audit-id': scope.requestId }
  const { warnings } = scope
  return warnings ? { ...response, headers, warnings: [...(response.warnings ?? []), ...warnings] } : { ...response, headers }
}
