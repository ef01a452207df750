/**
 * A resource is one declarative file (design, rule 2): all there is to say of a kind, as data and small pure
 * functions. The API server serves any of them without asking which kind it holds.
 */
import type { FieldError } from '../machinery/field-error.ts'
import type { AnyObject, KubeObject, StoredMeta } from '../machinery/object.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** A column of `kubectl get`. */
export interface Column<T = AnyObject> {
  name: string
  type?: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: string
  description?: string
  /** 0 is shown always, 1 with `-o wide`. */
  priority?: number
  /** The cell; `now` in milliseconds, for ages. Ages are text as upstream writes them (`5m`, `2d`). */
  value(object: T, now: number): string | number | boolean | null
}

/** Defaults fill a decoded draft in place, before admission and again after it; must be idempotent. */
export type Defaults<T> = (draft: T) => void

/** What the strategy may know of the request. */
export interface StrategyContext {
  now: number
  uuid(): string
}

export interface Subresource<T> {
  /** `status`, `scale`, `binding`, `eviction`, `log`, `exec`, … */
  name: string
  /** Model of the body, as `V1Scale`; the resource's own when absent. */
  model?: string
  /** Kind and group/version in discovery, where they are not the resource's own: `Scale` in `autoscaling/v1`. */
  kind?: string
  group?: string
  version?: string
  verbs: readonly ('get' | 'create' | 'update' | 'patch' | 'delete')[]
  /** For subresources that store the same object (`status`): keeps what this endpoint may not change. */
  prepareForUpdate?(draft: T, stored: T, context: StrategyContext): void
  validateUpdate?(draft: T, stored: T): FieldError[]
}

export interface ScalePaths {
  specReplicas: string
  statusReplicas: string
  /** Path to a label selector object, or to a selector string. */
  selector?: string
}

export interface Resource<T extends KubeObject = AnyObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** The schema model (`V1Pod`). */
  readonly model: string
  readonly verbs: readonly Verb[]
  readonly subresources: readonly Subresource<T>[]
  readonly scale?: ScalePaths
  /** `/registry/<this>/<namespace>/<name>`, as upstream keeps it: `pods`, `services/specs`, `minions`. */
  readonly storagePrefix: string
  /** The version that is stored, where it is another (`autoscaling/v1` is stored as `v2`, both events as core). */
  readonly storedAs?: {
    resource: Resource
    toStored(object: T): AnyObject
    fromStored(object: AnyObject): T
  }
  /** Whether `metadata.generation` counts changes of what is not metadata or status. */
  readonly generation: boolean
  /** Fields that may stand in a field selector, beside `metadata.name` and `metadata.namespace`. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>
  readonly columns: readonly Column<T>[]
  /** Checks of the name beyond DNS subdomain, which is the default. Returns the messages. */
  validateName(name: string): string[]
  applyDefaults: Defaults<T>
  /** Drops what a client may not set at creation (status), sets what the server does. */
  prepareForCreate(draft: T, context: StrategyContext): void
  prepareForUpdate(draft: T, stored: T, context: StrategyContext): void
  /** Of a whole draft at creation. Metadata is checked by the server for every kind. */
  validate(object: T): FieldError[]
  /** Of a draft against the stored object: what may not change, and {@link validate} again where upstream does. */
  validateUpdate(draft: T, stored: T): FieldError[]
  /** Warnings that the server answers in `Warning:` headers. */
  warnings(draft: T, stored: T | undefined): string[]
  /**
   * For resources that end gracefully (pods): the seconds to wait before the object goes, 0 for at once.
   * `requested` is the client's grace period.
   */
  gracePeriod?(object: T, requested: number | undefined): number
  /** A warning that every request for this resource is answered with. */
  readonly deprecation?: string
  /** Create answers without storing (reviews, tokens): served by a handler of the API server. */
  readonly virtual?: boolean
  /** Changes with the schema of a kind that may change while it is served (custom resources). */
  readonly fingerprint?: string
  /** Carries the type only. */
  readonly type?: T
}

type Optional = 'singular' | 'shortNames' | 'categories' | 'verbs' | 'subresources' | 'generation' | 'selectableFields' | 'columns' | 'storagePrefix'
type Behaviour = 'validateName' | 'applyDefaults' | 'prepareForCreate' | 'prepareForUpdate' | 'validate' | 'validateUpdate' | 'warnings'

export type ResourceSpec<T extends KubeObject> = Omit<Resource<T>, Optional | Behaviour> & Partial<Pick<Resource<T>, Optional | Behaviour>>

/** A kind that is answered and never stored (reviews, bindings): its models leave the metadata open. */
export type Unstored<T> = T & { metadata: StoredMeta }
