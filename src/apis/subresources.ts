/** Subresources that many kinds have. */
import type { KubeObject } from '../machinery/object.ts'
import type { Subresource } from './resource.ts'

export const scaleSubresource = {
  name: 'scale',
  model: 'V1Scale',
  kind: 'Scale',
  group: 'autoscaling',
  version: 'v1',
  verbs: ['get', 'patch', 'update'],
} as const satisfies Subresource<KubeObject>

/** `status` writes nothing but the status; metadata stays writable but for the fields named in `keepMetadata`. */
export function statusSubresource<T extends KubeObject>(
  options: Pick<Subresource<T>, 'validateUpdate'> & { keepMetadata?: readonly ('labels' | 'annotations' | 'ownerReferences' | 'finalizers')[] } = {},
): Subresource<T> {
  return {
    name: 'status',
    verbs: ['get', 'patch', 'update'],
    prepareForUpdate(draft, stored) {
      keepAllBut('status', draft, stored)
      for (const field of options.keepMetadata ?? []) keepField(draft.metadata, stored.metadata, field)
    },
    ...(options.validateUpdate && { validateUpdate: options.validateUpdate }),
  }
}

/** Takes every field of the stored object but `metadata` and the one named, in place. */
export function keepAllBut<T extends KubeObject>(field: string, draft: T, stored: T): void {
  const kept = new Set(['apiVersion', 'kind', 'metadata', field])
  for (const name of new Set([...Object.keys(draft), ...Object.keys(stored)])) {
    if (!kept.has(name)) keepField(draft, stored, name as keyof T)
  }
}

/** Gives the draft the stored value of one field, in place. */
export function keepField<T extends object>(draft: T, stored: T, field: keyof T): void {
  if (stored[field] === undefined) delete draft[field]
  else draft[field] = stored[field]
}

/** A write of the object itself leaves the status as it is stored. */
export function keepStatus<T extends { status?: unknown }>(draft: T, stored: T): void {
  keepField(draft, stored, 'status')
}
