/** Who owns which fields, read from `metadata.managedFields` and written back. */
import { timestamp } from '../clock.ts'
import { equal, isObject } from '../patch/json-value.ts'
import type { V1ManagedFieldsEntry } from '../schema/generated/types.ts'
import { difference, type FieldSet, isEmpty, union } from './field-set.ts'
import { SharedSets } from './shared-sets.ts'

export interface Owner {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
  /** Of the last change; as it is written. */
  time: string | undefined
  fields: FieldSet
}

/** By identity: appliers are one whatever their version, updaters are one per version. */
export type Owners = ReadonlyMap<string, Owner>

/** The most entries of updaters; older ones are merged into one. */
const maxUpdaters = 10
const oldUpdaters = 'ancient-changes'
/** Not state of a cluster: a memory of values that never change. */
const shared = new SharedSets(500)

export const identityOf = (owner: Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string =>
  JSON.stringify([owner.manager, owner.operation, owner.operation === 'Apply' ? '' : owner.apiVersion, owner.subresource])

/** Entries that cannot be read are as if they were not there. */
export function readOwners(entries: unknown): Owners {
  const owners = new Map<string, Owner>()
  if (!Array.isArray(entries)) return owners
  for (const entry of entries as V1ManagedFieldsEntry[]) {
    if (typeof entry !== 'object' || entry === null || !isObject(entry.fieldsV1)) return new Map()
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') return new Map()
    const owner: Owner = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields: entry.fieldsV1 as FieldSet,
    }
    const identity = identityOf(owner)
    const known = owners.get(identity)
    owners.set(identity, known ? { ...owner, fields: union(known.fields, owner.fields) } : owner)
  }
  return owners
}

/** `[]` and `[{}]` from a client mean: forget all owners. */
export function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false
  return entries.length === 0 || (entries.length === 1 && equal(entries[0], {}))
}

/** Nothing when nobody owns anything. */
export function writeOwners(owners: Owners): V1ManagedFieldsEntry[] | undefined {
  if (owners.size === 0) return undefined
  return [...owners.values()].sort(byEntry).map((owner) => ({
    manager: owner.manager,
    operation: owner.operation,
    apiVersion: owner.apiVersion,
    ...(owner.time ? { time: owner.time } : {}),
    fieldsType: 'FieldsV1',
    fieldsV1: shared.share(owner.fields),
    ...(owner.subresource ? { subresource: owner.subresource } : {}),
  }))
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function byEntry(a: Owner, b: Owner): number {
  return (
    compareTexts(a.operation, b.operation) ||
    compareTexts(a.time ?? '', b.time ?? '') ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  )
}

/** Takes fields away from an owner, who goes when none are left. */
export function disown(owners: Map<string, Owner>, identity: string, fields: FieldSet): void {
  const owner = owners.get(identity)
  if (!owner) return
  const kept = difference(owner.fields, fields)
  if (isEmpty(kept)) owners.delete(identity)
  else if (kept !== owner.fields) owners.set(identity, { ...owner, fields: kept })
}

/** Merges the oldest updaters until there are no more than ten. */
export function capUpdaters(owners: Map<string, Owner>): void {
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update')
  let count = updaters.length
  if (count <= maxUpdaters) return
  updaters.sort(([, a], [, b]) => compareTexts(a.time ?? '', b.time ?? '') || compareTexts(a.manager, b.manager))
  const firstOf = new Map<string, string>()
  for (const [identity, owner] of updaters) {
    if (count <= maxUpdaters) return
    const first = firstOf.get(owner.apiVersion)
    if (first === undefined) {
      firstOf.set(owner.apiVersion, identity)
      continue
    }
    const bucket: Owner = { ...owner, manager: oldUpdaters, subresource: '' }
    const bucketIdentity = identityOf(bucket)
    const older = owners.get(bucketIdentity) ?? owners.get(first)
    owners.delete(first)
    owners.delete(identity)
    owners.set(bucketIdentity, { ...bucket, fields: union(older?.fields ?? {}, owner.fields) })
    count--
  }
}

export const timeOf = (now: number): string => timestamp(now)
