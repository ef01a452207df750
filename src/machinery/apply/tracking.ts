import type { Schema } from '../schema/schema.ts'
import type { FieldSet } from './field-set.ts'

/** An object as apply sees it: decoded, pruned, with `metadata`. */
export type Tracked = { metadata?: unknown }

/** What the tracking of field owners has to know of a write. */
export interface Tracking {
  schema: Schema
  /** The schema's name of the type, `V1Deployment`. */
  model: string
  /** Of the request: `apps/v1`. */
  apiVersion: string
  /** Field manager; see {@link managerOf} for the one when the request names none. */
  manager: string
  /** `status`, `scale`, …; empty for the object itself. */
  subresource?: string
  /** Milliseconds. */
  now: number
  /**
   * Fields that this endpoint resets, so that nobody comes to own them through it: `status` for the object
   * itself, `spec` for its status. By top-level names.
   */
  resets?: readonly string[]
}

export interface UpdateRequest<T extends Tracked> extends Tracking {
  /** What is stored; absent for a create. */
  live: T | undefined
  /** What will be stored. Its `managedFields` are the client's. */
  updated: T
}

export interface ApplyRequest<T extends Tracked> extends Tracking {
  /** What is stored; absent when apply creates. */
  live: T | undefined
  /** What the applier wants, as sent (after decoding, before defaulting). */
  applied: T
  force: boolean
}

/** The field manager of a request that names none: the client's program, at most 128 bytes. */
export function managerOf(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager
  return (userAgent ?? '').split('/')[0]?.slice(0, 128) ?? ''
}

export type { FieldSet }
