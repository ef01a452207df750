import { equal, isObject } from '../patch/json-value.ts'
import type { V1ManagedFieldsEntry } from '../schema/generated/types.ts'
import { compare } from './comparison.ts'
import { isEmpty, union } from './field-set.ts'
import { ownable } from './identity-fields.ts'
import { capUpdaters, disown, identityOf, isReset, type Owner, type Owners, readOwners, timeOf, writeOwners } from './managers.ts'
import type { Tracked, UpdateRequest } from './tracking.ts'

/**
 * Records who owns what after a create, an update or a patch that is no apply: the writer owns what it added
 * or changed, and nobody owns what it removed. Returns the object with its new `managedFields`; the entries
 * are the stored ones when nothing changed hands.
 */
export function trackUpdate<T extends Tracked>(request: UpdateRequest<T>): T {
  const { live, updated, manager, apiVersion, subresource = '' } = request
  const liveEntries = entriesOf(live)
  const owners = startingOwners(liveEntries, entriesOf(updated), subresource !== '')
  // Upstream does not begin to track an object that was stored without owners.
  if (live !== undefined && owners.size === 0) return withEntries(updated, undefined)
  const next = ownersAfterUpdate(request, owners, { manager, operation: 'Update', apiVersion, subresource })
  return withEntries(updated, next === owners && sameEntries(owners, liveEntries) ? liveEntries : writeOwners(next))
}

/** The owners after the writer changed `live` to `updated`; the very same when nothing differs. */
export function ownersAfterUpdate<T extends Tracked>(
  request: UpdateRequest<T>,
  owners: Owners,
  writer: Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>,
): Owners {
  const { changed, removed } = compare(
    request.schema.model(request.model),
    request.live && withEntries(request.live, undefined),
    withEntries(request.updated, undefined),
  )
  const gained = ownable(changed, request.resets)
  const lost = ownable(removed, request.resets)
  if (isEmpty(gained) && isEmpty(lost)) return owners
  const next = new Map(owners)
  const self = identityOf(writer)
  const own = owners.get(self)
  const fields = union(gained, removedFrom(own, lost))
  for (const identity of owners.keys()) if (identity !== self) disown(next, identity, union(gained, lost))
  if (isEmpty(fields)) next.delete(self)
  else if (isEmpty(gained)) own && next.set(self, { ...own, fields })
  else next.set(self, { ...writer, time: timeOf(request.now), fields })
  capUpdaters(next)
  return next
}

function removedFrom(owner: Owner | undefined, lost: Owner['fields']): Owner['fields'] {
  if (!owner) return {}
  const one = new Map([['', owner]])
  disown(one, '', lost)
  return one.get('')?.fields ?? {}
}

/** The client's entries count where it sends some; an empty list forgets all; else those of the stored object. */
function startingOwners(live: unknown, updated: unknown, isSubresource: boolean): Owners {
  if (isSubresource) return readOwners(live)
  if (live !== updated) {
    if (isReset(updated)) return new Map()
    const sent = readOwners(updated)
    if (sent.size > 0) return sent
  }
  return readOwners(live)
}

/** Whether the entries are those that are stored, so that they need not be written anew. */
function sameEntries(owners: Owners, liveEntries: V1ManagedFieldsEntry[] | undefined): boolean {
  const stored = readOwners(liveEntries)
  if (stored.size !== owners.size) return false
  for (const [identity, owner] of owners) if (!equal(owner, stored.get(identity))) return false
  return true
}

export function entriesOf(object: Tracked | undefined): V1ManagedFieldsEntry[] | undefined {
  const metadata = object?.metadata
  return isObject(metadata) ? (metadata.managedFields as V1ManagedFieldsEntry[] | undefined) : undefined
}

/** The object with these entries; itself when it has them already. */
export function withEntries<T extends Tracked>(object: T, entries: V1ManagedFieldsEntry[] | undefined): T {
  const metadata = isObject(object.metadata) ? object.metadata : {}
  if (metadata.managedFields === entries) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: entries ? { ...rest, managedFields: entries } : rest }
}
