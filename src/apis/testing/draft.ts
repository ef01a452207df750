/** What the server does to a draft, without the server: for tests of resources. */
import type { FieldError } from '../../machinery/field-error.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { validateMetadata, validateMetadataUpdate } from '../metadata-validation.ts'
import type { Resource } from '../resource.ts'

export const context = { now: Date.UTC(2026, 0, 1), uuid: () => '00000000-0000-4000-8000-000000000000' }

const copy = <T>(value: unknown): T => structuredClone(value) as T

/** As it would be stored. */
export function created<T extends KubeObject>(resource: Resource<T>, object: unknown): T {
  const draft = copy<T>(object)
  resource.applyDefaults(draft)
  resource.prepareForCreate(draft, context)
  resource.applyDefaults(draft)
  return draft
}

/** `field: message` of each error at creation. */
export function problems<T extends KubeObject>(resource: Resource<T>, object: unknown): string[] {
  const draft = created(resource, object)
  return shown([...validateMetadata(draft.metadata, resource), ...resource.validate(draft)])
}

/** `field: message` of each error when what was created from one is replaced by the other. */
export function updateProblems<T extends KubeObject>(resource: Resource<T>, before: unknown, after: unknown): string[] {
  return shown(update(resource, before, after).errors)
}

export function updated<T extends KubeObject>(resource: Resource<T>, before: unknown, after: unknown): T {
  return update(resource, before, after).draft
}

function update<T extends KubeObject>(resource: Resource<T>, before: unknown, after: unknown): { draft: T; errors: FieldError[] } {
  const stored = created(resource, before)
  freeze(stored)
  const draft = copy<T>(after)
  resource.applyDefaults(draft)
  resource.prepareForUpdate(draft, stored, context)
  return { draft, errors: [...validateMetadataUpdate(draft.metadata, stored.metadata), ...resource.validateUpdate(draft, stored)] }
}

/** A row of `kubectl get -o wide`, by column. */
export function row<T extends KubeObject>(resource: Resource<T>, object: unknown, now = context.now): Record<string, unknown> {
  return Object.fromEntries(resource.columns.map((column) => [column.name, column.value(object as T, now)]))
}

const shown = (errors: FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message}`)

/** Stored objects are never changed: a test that does so fails. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
}
