import { ApiError, badRequest } from '../errors.ts'
import { equal, isObject } from '../patch/json-value.ts'
import type { Struct } from '../schema/structure.ts'
import { compare } from './comparison.ts'
import { type Conflict, conflictError } from './conflicts.ts'
import { difference, type FieldSet, intersection, isEmpty, none, setOf, union } from './field-set.ts'
import { ownable } from './identity-fields.ts'
import { fieldsLastApplied, lastAppliedOf, withLastApplied } from './last-applied.ts'
import { disown, identityOf, type Owner, type Owners, readOwners, timeOf, writeOwners } from './managers.ts'
import { mergeApplied } from './merge-applied.ts'
import { fieldsOf } from './object-fields.ts'
import { removeItems, withNamedFields } from './remove-items.ts'
import { entriesOf, ownersAfterUpdate, withEntries } from './track-update.ts'
import type { ApplyRequest, Tracked } from './tracking.ts'
import { typedErrors } from './typed-errors.ts'

/**
 * Server-side apply: lays what is applied over what is there, removes what this applier no longer applies and
 * nobody else owns, and records ownership. The result is the live object itself when nothing changes. Throws
 * the `ApiError` of upstream: 409 with a cause for each conflict, 400 for a request that may not be applied.
 */
export function apply<T extends Tracked>(request: ApplyRequest<T>): T {
  const { schema, model, live, manager, apiVersion, subresource = '', now } = request
  check(request)
  const applied = schema.prune(model, request.applied)
  const struct = schema.model(model)
  const before = startingOwners(request)
  const self: Owner = { manager, operation: 'Apply', apiVersion, subresource, time: undefined, fields: none }
  const identity = identityOf(self)
  const last = before.get(identity)
  const wanted = fieldsOf(struct, applied)
  const set = ownable(wanted, request.resets)

  const owners = new Map(before)
  owners.set(identity, { ...self, time: last?.time, fields: set })
  const base = withEntries<T>(live ?? ({} as T), undefined)
  const merged = mergeApplied(struct, base, withoutResets(struct, applied, request.resets)) as T
  const pruned = prune(struct, merged, owners, last?.fields, wanted) as T

  takeFields(request, struct, base, pruned, owners, identity)
  if (isEmpty(set)) owners.delete(identity)

  const result = manager === 'kubectl' && lastAppliedOf(live) !== undefined ? withLastApplied(pruned, applied) : pruned
  if (live !== undefined && equal(result, base) && sameOwners(owners, before)) return withEntries(live, entriesOf(live) ?? writeOwners(owners))
  const own = owners.get(identity)
  if (own) owners.set(identity, { ...own, time: timeOf(now) })
  return withEntries(result, writeOwners(owners))
}

function check<T extends Tracked>({ schema, model, applied, apiVersion, manager }: ApplyRequest<T>): void {
  if (!isObject(applied)) throw badRequest('apply patch must be an object')
  if (manager === '') throw badRequest('PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
  const { apiVersion: given } = applied as { apiVersion?: unknown }
  if (given !== undefined && given !== apiVersion) {
    throw badRequest(`Incorrect version specified in apply patch. Specified patch version: ${String(given)}, expected: ${apiVersion}`)
  }
  if (entriesOf(applied) !== undefined) throw badRequest('metadata.managedFields must be nil')
  const errors = typedErrors(schema.model(model), applied)
  if (errors.length === 0) return
  const { kind, metadata } = applied as { kind?: string; metadata?: { name?: string; namespace?: string } }
  const name = [metadata?.namespace, metadata?.name].filter(Boolean).join('/')
  throw new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind ?? ''}): ${errors.length === 1 ? errors[0] : `errors:\n${errors.map((one) => `  ${one}`).join('\n')}`}`,
    code: 500,
  })
}

/** An object that was stored without owners gets one for all that is in it. */
function startingOwners<T extends Tracked>(request: ApplyRequest<T>): Owners {
  const owners = readOwners(entriesOf(request.live))
  if (owners.size > 0 || request.live === undefined) return owners
  return ownersAfterUpdate({ ...request, live: undefined, updated: request.live }, owners, {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: request.apiVersion,
    subresource: request.subresource ?? '',
  })
}

function withoutResets<T extends Tracked>(struct: Struct, applied: T, resets: readonly string[] | undefined): T {
  if (!resets?.length) return applied
  return (removeItems(struct, applied, setOf(...resets.map((name) => [name]))) ?? {}) as T
}

/** Removes what the applier owned before and applies no more, unless another owns it. */
function prune(struct: Struct, merged: Tracked, owners: Owners, last: FieldSet | undefined, wanted: FieldSet): unknown {
  // Most applies leave nothing out.
  if (last === undefined || isEmpty(difference(last, wanted))) return merged
  const lastNamed = withNamedFields(struct, last)
  const all = withNamedFields(struct, fieldsOf(struct, merged))
  // With the object's name, which nobody owns and which must stay.
  let owned = wanted
  for (const owner of owners.values()) owned = union(owned, owner.fields)
  const keptOf = (value: unknown) => withNamedFields(struct, fieldsOf(struct, value))
  let pruned = removeItems(struct, merged, lastNamed)
  pruned = removeItems(struct, merged, difference(all, union(keptOf(pruned), withNamedFields(struct, owned))))
  return removeItems(struct, merged, intersection(difference(all, keptOf(pruned)), lastNamed)) ?? {}
}

/** Others lose what this apply changes (which is a conflict, unless forced) and what it removed. */
function takeFields<T extends Tracked>(request: ApplyRequest<T>, struct: Struct, live: T, result: T, owners: Map<string, Owner>, self: string): void {
  const { changed, removed } = compare(struct, live, result)
  const gained = ownable(changed, request.resets)
  const conflicts: Conflict[] = []
  const others = [...owners].filter(([identity]) => identity !== self)
  for (const [, owner] of others) {
    const fields = intersection(owner.fields, gained)
    if (!isEmpty(fields)) conflicts.push({ owner, fields })
  }
  if (conflicts.length && !request.force) {
    const allowed = request.manager === 'kubectl' ? fieldsLastApplied(struct, request.live) : none
    const remaining = conflicts.map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) })).filter(({ fields }) => !isEmpty(fields))
    if (remaining.length) throw conflictError(remaining)
  }
  const lost = union(gained, ownable(removed, request.resets))
  for (const [identity] of others) disown(owners, identity, lost)
}

function sameOwners(a: Owners, b: Owners): boolean {
  if (a.size !== b.size) return false
  for (const [identity, owner] of a) {
    const other = b.get(identity)
    if (!other || other.apiVersion !== owner.apiVersion || !equal(owner.fields, other.fields)) return false
  }
  return true
}
