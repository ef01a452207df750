/** Puts an API server together: a value that handles requests, whichever way they come. */
import { builtInResources } from '../apis/built-in.ts'
import type { Resource } from '../apis/resource.ts'
import type { Clock } from '../machinery/clock.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { readBuiltInSchema } from '../machinery/schema/built-in.ts'
import { Schema } from '../machinery/schema/schema.ts'
import { identityTransformer, type Transformer } from '../store/encryption/transformer.ts'
import type { Store } from '../store/store.ts'
import type { HealthCheck, ResourceHooks, ServerAccess, ServerPart, ServerPartFactory, WriteRecord } from './contracts.ts'
import { allForeign } from './discovery/foreign.ts'
import { rootHandler } from './discovery/root.ts'
import { componentStatuses } from './health/component-statuses.ts'
import { healthHandler } from './health/health.ts'
import { kubernetesVersion, type Version, versionHandler } from './health/version.ts'
import { meteredStore } from './metrics/metered-store.ts'
import { metricsHandler } from './metrics/metrics-handler.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { addServerMetrics } from './metrics/server-metrics.ts'
import { BodyDecoder } from './negotiation/body.ts'
import { HandlerTable } from './pipeline/handlers.ts'
import type { InFlightLimits } from './pipeline/in-flight.ts'
import { Pipeline } from './pipeline/pipeline.ts'
import { bindingHandler } from './pods/binding.ts'
import { evictionHandler } from './pods/eviction.ts'
import { AdmissionChain } from './registry/admission-chain.ts'
import { namespaceHooks } from './registry/namespace-hooks.ts'
import { Registries } from './registry/registries.ts'
import type { ApiRequest, ApiResponse } from './request.ts'
import { createResourceTable } from './resource-table.ts'
import { compactRegularly } from './upkeep/compaction.ts'
import { expireEvents } from './upkeep/event-expiry.ts'
import { CacheFeed } from './watch-cache/cache-feed.ts'

type Log = ServerAccess['log']

export interface ApiServerOptions {
  store: Store
  clock: Clock
  /** In the order in which they are asked: authentication, authorization, admission, discovery, … */
  parts: readonly ServerPartFactory[]
  /** The built-in kinds when absent. */
  schema?: Schema
  resources?: readonly Resource[]
  /** Encryption at rest; nothing is encrypted when absent. */
  transformer?(group: string, plural: string): Transformer
  /** Told of each write once it is stored, in the order of answers. Must not throw. */
  onWrite?(record: WriteRecord): void
  version?: Version
  /** How many requests are worked on at once. Upstream's defaults when absent. */
  limits?: InFlightLimits
  /** Where it counts; what others in it count is told by `/metrics` too. */
  metrics?: MetricRegistry
  log?: Log
}

export interface ApiServer {
  /** The whole way of a request. Never rejects: errors are answers. */
  handle(request: ApiRequest): Promise<ApiResponse>
  readonly access: ServerAccess
  /** Reads what must be read and starts the parts. Requests are served from then on. */
  start(): Promise<void>
  /** Ends watches and stops the parts. The store stays open: it is its owner's. */
  stop(): Promise<void>
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { clock, metrics: registry = new MetricRegistry() } = options
  const store = meteredStore(options.store, clock, registry)
  const log: Log = options.log ?? (() => {})
  const schemaFile = options.schema && options.resources ? undefined : readBuiltInSchema()
  const schema = options.schema ?? new Schema(schemaFile ?? readBuiltInSchema())
  const resources = createResourceTable(options.resources ?? builtInResources(schemaFile ?? readBuiltInSchema()))
  const feed = new CacheFeed(store, clock)
  const metrics = new RequestMetrics(registry)
  const endings: (() => void)[] = []
  let started = false

  const access: ServerAccess = {
    clock,
    resources,
    get foreign() {
      return foreign
    },
    async cached(name) {
      const registry = registries.byGroupResource(name)
      if (!registry) throw new Error(`no resource ${name} is served`)
      await registry.storage.cache.ready()
      return registry.storage.cache
    },
    handle: (request) => pipeline.handle(request),
    authorize: (attributes) => pipeline.authorize(attributes),
    authenticate: (request) => pipeline.authenticate(request),
    async admit(attributes) {
      await admission.mutate(attributes)
      await admission.validate(attributes)
    },
    metrics: registry,
    log,
  }

  const parts: ServerPart[] = [namespaceHooks, ...options.parts].map((make) => make(access))
  const foreign = allForeign(parts.flatMap((part) => part.foreign ?? []))
  const admission = new AdmissionChain(
    parts.flatMap((part) => part.admission ?? []),
    { clock, metrics },
  )
  const registries: Registries = new Registries({
    schema,
    clock,
    store,
    feed,
    admission,
    resources,
    log,
    transformer: options.transformer ?? (() => identityTransformer),
    hooksOf: (name) => parts.map((part) => part.hooks?.[name]).filter((hooks): hooks is ResourceHooks => hooks !== undefined),
    onWrite: options.onWrite ?? (() => {}),
  })
  const checks: readonly HealthCheck[] = [
    { name: 'ping', check: () => {} },
    { name: 'etcd', check: async () => void (await store.revision()) },
    ...parts.flatMap((part) => part.healthChecks ?? []),
    { name: 'poststarthook/parts', of: ['readyz', 'healthz'], check: () => mustBe(started, 'the server is starting') },
  ]
  const refresh = addServerMetrics(registry, { store, caches: () => registries.caches(), inFlight: () => pipeline.inFlight, revision: () => feed.revision })
  const serviceLevels = new MetricRegistry()
  const health = healthHandler(
    () => checks,
    serviceLevels,
    (message, fields) => log('warn', message, fields),
  )
  const own = [
    health,
    versionHandler(options.version ?? kubernetesVersion),
    metricsHandler('/metrics', registry, refresh),
    metricsHandler('/metrics/slis', serviceLevels, () => health.look()),
    bindingHandler(() => registries),
    evictionHandler(() => registries),
    componentStatuses(access, () => store.revision()),
    rootHandler(
      access,
      () => handlers.paths(),
      () => checks.map(({ name }) => name),
    ),
  ]
  const handlers: HandlerTable = new HandlerTable([...own, ...parts.flatMap((part) => part.handlers ?? [])])
  const pipeline = new Pipeline({
    clock,
    authenticators: parts.flatMap((part) => part.authenticators ?? []),
    authorizers: parts.flatMap((part) => part.authorizers ?? []),
    handlers,
    routes: parts.flatMap((part) => part.route?.bind(part) ?? []),
    resources,
    registries,
    metrics,
    registry,
    bodies: new BodyDecoder(schema),
    ...(options.limits ? { limits: options.limits } : {}),
    log,
  })

  return {
    handle: (request) => pipeline.handle(request),
    access,
    async start() {
      await feed.start()
      for (const part of parts) await part.start?.()
      const failed = (what: string) => (error: unknown) => log('warn', `${what} failed`, { error: error instanceof Error ? error.message : String(error) })
      endings.push(compactRegularly(store, clock, failed('compaction')))
      const events = registries.byGroupResource('events')
      if (events) endings.push(expireEvents(events, clock, failed('the expiry of events')))
      started = true
    },
    async stop() {
      for (const end of endings) end()
      for (const part of [...parts].reverse()) await part.stop?.()
      feed.stop()
    },
  }
}

function mustBe(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}
