/**
 * What plugs into the way of a request. Each part of the server (authentication, RBAC, admission, discovery, the
 * kubelet proxies, service addresses) is one {@link ServerPart}; `createApiServer({ parts })` takes the list, and
 * each part is made with {@link ServerAccess}, the little it may know of the server.
 */
import type { Resource } from '../apis/resource.ts'
import type { Cause } from '../client/client.ts'
import type { Clock } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UserInfo } from './request.ts'

type MaybePromise<T> = T | Promise<T>

/** Asked in order; the first that knows the caller decides. Throws `unauthorized` for credentials that are its to judge and wrong. */
export interface Authenticator {
  readonly name: string
  authenticate(request: ApiRequest): MaybePromise<UserInfo | undefined>
}

export interface AuthorizationAttributes {
  user: UserInfo
  info: RequestInfo
}

/** `noOpinion` passes on to the next authorizer; when nobody allows, the request is forbidden with the reasons given. */
export interface Decision {
  decision: 'allowed' | 'denied' | 'noOpinion'
  reason: string
}

export interface Authorizer {
  readonly name: string
  authorize(attributes: AuthorizationAttributes): MaybePromise<Decision>
}

export type AdmissionVerb = 'create' | 'update' | 'delete' | 'connect'

export interface AdmissionAttributes {
  verb: AdmissionVerb
  /** For a status or scale write, or a connect (`exec`), the parent resource; see {@link subresource}. */
  resource: Resource
  /** '' for the object itself. */
  subresource: string
  namespace: string
  /** '' while a generated name is not made yet. */
  name: string
  /**
   * The draft, which `mutate` may change in place and `validate` may not. The body of the subresource where that is
   * of another kind (`Binding`, `Eviction`, `Scale`). Undefined for a delete.
   */
  object: AnyObject | undefined
  /** What is stored (update, delete). Immutable. */
  old: AnyObject | undefined
  user: UserInfo
  /** Options of the write as upstream passes them: `CreateOptions`, `UpdateOptions`, `PatchOptions`, `DeleteOptions`. */
  options: Record<string, unknown>
  dryRun: boolean
  /** Answered to the client in a `Warning:` header. */
  warn(message: string): void
}

/** Throws an ApiError (usually `forbidden`) to refuse. May be called several times for one request (retried patch): idempotent. */
export interface AdmissionPlugin {
  readonly name: string
  /** Cheap filter; absent: handles all. */
  handles?(attributes: AdmissionAttributes): boolean
  mutate?(attributes: AdmissionAttributes): MaybePromise<void>
  /** Runs after defaults and validation, on what would be stored. */
  validate?(attributes: AdmissionAttributes): MaybePromise<void>
}

/** All that a handler may know of the request it serves. */
export interface RequestContext {
  request: ApiRequest
  info: RequestInfo
  user: UserInfo
  /** Of a resource request whose resource is known. */
  resource: Resource | undefined
  /** Says `message` in a `Warning:` header of the answer. */
  warn(message: string): void
  /** The decoded body, whichever way it came (JSON, YAML, in process); undefined when there is none. A fresh draft, the caller's own. */
  body(): Promise<AnyObject | undefined>
  /** Paths of fields that stood twice in the body, once it was read. */
  readonly duplicates?: readonly string[]
  readonly requestId: string
  cause: Cause | undefined
}

/**
 * Serves what the registry does not: non-resource paths, virtual resources, subresources with a life of their own.
 * Found by name, before the registry is asked; it runs after authentication and authorization, and calls
 * {@link ServerAccess.admit} itself where upstream admits (connect).
 */
export interface RequestHandler {
  readonly name: string
  /** Exact (`/version`), or with everything below (`/openapi/v3/*`, which includes `/openapi/v3`). */
  readonly paths?: readonly string[]
  /** As RBAC writes them: `pods/log`, `subjectaccessreviews.authorization.k8s.io`, `serviceaccounts/token`, `nodes/proxy`. */
  readonly resources?: readonly string[]
  handle(context: RequestContext): Promise<ApiResponse>
}

/** Undoes what a hook did, when the write does not happen after all. */
export type Rollback = () => void | Promise<void>

export interface HookAttributes {
  resource: Resource
  user: UserInfo
  dryRun: boolean
}

/**
 * Steps of one resource beyond its declaration: allocate an address, refuse because of another object. Run in the
 * order of a write; whatever is returned runs when a later step or the store refuses.
 */
export interface ResourceHooks {
  /** After mutation, defaults and prepareForCreate, before validation. May change the draft. Not idempotent by itself: its rollback is called before it is called again. */
  beforeCreate?(draft: AnyObject, attributes: HookAttributes): MaybePromise<Rollback | undefined>
  beforeUpdate?(draft: AnyObject, stored: AnyObject, attributes: HookAttributes): MaybePromise<Rollback | undefined>
  /** Once stored. Errors are logged and do not fail the request. */
  afterCreate?(object: AnyObject, attributes: HookAttributes): MaybePromise<void>
  afterUpdate?(object: AnyObject, previous: AnyObject, attributes: HookAttributes): MaybePromise<void>
  /** Whether the object must stay although no finalizer in its metadata holds it (a namespace's own finalizers). */
  heldBack?(object: AnyObject): boolean
  /** Changes the draft that gets its deletionTimestamp (a namespace's phase). */
  deletionMarked?(draft: AnyObject): void
  /** Refuses a deletion before anything is done. */
  beforeDelete?(object: AnyObject, attributes: HookAttributes): MaybePromise<void>
  /** Once the object is gone (not when a deletionTimestamp was set). */
  afterDelete?(object: AnyObject, attributes: HookAttributes): MaybePromise<void>
}

export interface HealthCheck {
  /** As in `/readyz/<name>`. */
  readonly name: string
  /** Which of the endpoints ask it; all when absent. */
  readonly of?: readonly ('healthz' | 'livez' | 'readyz')[]
  /** Throws when not healthy; the message is shown to no one but the log, as upstream. */
  check(): MaybePromise<void>
}

/** A group's version that another server serves. */
export interface ForeignGroupVersion {
  group: string
  version: string
  /** Higher comes first, in discovery too. */
  groupPriority: number
  versionPriority: number
  /** In the form of aggregated discovery, as that server said last. */
  resources: readonly DiscoveredEntry[]
  /** Whether that server answers now. */
  fresh: boolean
}

/** A resource in the form of `APIGroupDiscoveryList`. */
export interface DiscoveredEntry {
  resource: string
  responseKind: { group: string; version: string; kind: string }
  scope: string
  singularResource: string
  verbs: readonly string[]
  shortNames?: readonly string[]
  categories?: readonly string[]
  subresources?: readonly { subresource: string; responseKind: { group: string; version: string; kind: string }; verbs: readonly string[] }[]
}

/** What others serve through this server (aggregation): told in discovery and OpenAPI beside its own. */
export interface ForeignApis {
  /** Changes with what the rest tells. */
  readonly generation: number
  groupVersions(): readonly ForeignGroupVersion[]
  /** Of `/openapi/v3`: the path below it (`apis/metrics.k8s.io/v1beta1`), and where it is read. */
  openApiPaths(): Readonly<Record<string, { serverRelativeURL: string }>>
  openApiV2(): readonly { paths?: Record<string, unknown>; definitions?: Record<string, unknown> }[]
}

/** One part of the server: contributes to any of these lists, in the order of `parts`. */
export interface ServerPart {
  readonly name: string
  authenticators?: readonly Authenticator[]
  authorizers?: readonly Authorizer[]
  admission?: readonly AdmissionPlugin[]
  handlers?: readonly RequestHandler[]
  /** By group resource, as RBAC writes it: `services`, `deployments.apps`. */
  hooks?: Readonly<Record<string, ResourceHooks>>
  healthChecks?: readonly HealthCheck[]
  /** Asked before the handlers and the registry: who serves this instead. Must be quick. */
  route?(info: RequestInfo): RequestHandler | undefined
  foreign?: ForeignApis
  /** Runs when the store can be read, before the server is ready (default roles, the kubernetes service). */
  start?(): MaybePromise<void>
  stop?(): MaybePromise<void>
}

export type ServerPartFactory = (server: ServerAccess) => ServerPart

/** Reads of one stored resource from the watch cache: no copies, no waiting; never older than what this server answered. */
export interface CachedObjects<T extends AnyObject = AnyObject> {
  get(namespace: string, name: string): T | undefined
  /** In key order; all namespaces when undefined. */
  list(namespace?: string): Iterable<T>
  /** Called in order of revision for each change after now. Returns what ends it. */
  onChange(handler: (change: { object: T | undefined; previous: T | undefined; revision: number }) => void): () => void
}

/** Resources that the server serves; may change while it runs (CustomResourceDefinitions). */
export interface ResourceTable {
  all(): readonly Resource[]
  get(group: string, version: string, plural: string): Resource | undefined
  /** The preferred version. */
  preferred(group: string, plural: string): Resource | undefined
  byKind(group: string, version: string, kind: string): Resource | undefined
  add(resource: Resource): void
  remove(group: string, version: string, plural: string): void
  /** Grows by one with each add and remove; for discovery's caches and ETags. */
  readonly generation: number
  onChange(handler: () => void): () => void
}

/** What a part may know of the server. */
export interface ServerAccess {
  readonly clock: Clock
  readonly resources: ResourceTable
  readonly foreign: ForeignApis
  /** The cache of a stored resource, by group resource (`roles.rbac.authorization.k8s.io`). Resolves once it holds all. */
  cached(groupResource: string): Promise<CachedObjects>
  /** The whole way of a request, as a given user: for parts that write (default roles, events, quota). */
  handle(request: ApiRequest): Promise<ApiResponse>
  /** Asks the authorizers, for access reviews and escalation checks. */
  authorize(attributes: AuthorizationAttributes): Promise<Decision>
  /** Asks the authenticators, for token reviews. */
  authenticate(request: ApiRequest): Promise<UserInfo | undefined>
  /** Runs admission for a handler that admits (connect, token): mutate then validate. */
  admit(attributes: AdmissionAttributes): Promise<void>
  /** What the server counts; told by `/metrics`. */
  readonly metrics: MetricRegistry
  /** What went wrong where no request can say so. */
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void
}

/** `deployments.apps`, `pods`: a resource without its version, as RBAC and messages write it. */
export const groupResource = (resource: { group: string; plural: string }): string =>
  resource.group ? `${resource.plural}.${resource.group}` : resource.plural

/** A write as it was stored; handed to `onWrite` for the record of causes. */
export interface WriteRecord {
  revision: number
  key: string
  /** Group resource. */
  resource: string
  name: string
  namespace: string
  verb: 'create' | 'update' | 'patch' | 'apply' | 'delete'
  subresource: string
  user: UserInfo
  userAgent: string
  /** Milliseconds since the epoch. */
  at: number
  requestId: string
  cause: Cause | undefined
}
