/** What a write through a subresource may change, where the resource's file does not say it. By name. */

import type { Resource, StrategyContext } from '../../apis/resource.ts'
import { keepAllBut, keepField } from '../../apis/subresources.ts'
import type { FieldError } from '../../machinery/field-error.ts'
import type { AnyObject } from '../../machinery/object.ts'

type Keep = (draft: AnyObject, stored: AnyObject) => void

const keepMetadata: Keep = (draft, stored) => {
  const { managedFields } = draft.metadata
  draft.metadata = { ...stored.metadata, ...(managedFields ? { managedFields } : {}), resourceVersion: draft.metadata.resourceVersion }
}

const rules: Readonly<Record<string, Keep>> = {
  status: (draft, stored) => keepAllBut('status', draft, stored),
  /** Of a namespace: its own finalizers alone. */
  finalize(draft, stored) {
    const finalizers = (draft.spec as { finalizers?: string[] } | undefined)?.finalizers
    keepMetadata(draft, stored)
    keepAllBut('spec', draft, stored)
    const { finalizers: _, ...spec } = (stored.spec ?? {}) as Record<string, unknown>
    draft.spec = finalizers && finalizers.length > 0 ? { ...spec, finalizers } : spec
  },
  ephemeralcontainers(draft, stored) {
    const containers = (draft.spec as { ephemeralContainers?: unknown } | undefined)?.ephemeralContainers
    keepMetadata(draft, stored)
    keepAllBut('spec', draft, stored)
    draft.spec = { ...(stored.spec as object), ...(containers ? { ephemeralContainers: containers } : {}) }
  },
  /** Of a certificate signing request: the conditions that approve or deny. */
  approval: (draft, stored) => keepAllBut('status', draft, stored),
}

export function prepareSubresource(resource: Resource, name: string, draft: AnyObject, stored: AnyObject, context: StrategyContext): void {
  const declared = resource.subresources.find((subresource) => subresource.name === name)
  if (declared?.prepareForUpdate) declared.prepareForUpdate(draft, stored, context)
  else rules[name]?.(draft, stored)
  if (name !== 'status') return
  // A status write leaves what identifies and owns the object alone.
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const) keepField(draft.metadata, stored.metadata, field)
}

export function validateSubresource(resource: Resource, name: string, draft: AnyObject, stored: AnyObject): FieldError[] {
  return resource.subresources.find((subresource) => subresource.name === name)?.validateUpdate?.(draft, stored) ?? []
}
