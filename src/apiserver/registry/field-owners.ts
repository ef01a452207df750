/** managedFields of a write: who set what. */
import { apply } from '../../machinery/apply/apply.ts'
import { trackUpdate } from '../../machinery/apply/track-update.ts'
import type { Tracking } from '../../machinery/apply/tracking.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Registry } from './registry.ts'
import { apiVersionOf } from './storage.ts'
import type { WriteRequest } from './write-request.ts'

function tracking(registry: Registry, request: WriteRequest): Tracking {
  const { resource, schema, clock } = registry
  const hasStatus = resource.subresources.some((subresource) => subresource.name === 'status')
  return {
    schema,
    model: resource.model,
    apiVersion: apiVersionOf(resource),
    manager: request.fieldManager,
    subresource: request.subresource,
    now: clock.now(),
    resets: request.subresource === 'status' ? ['spec'] : hasStatus && request.subresource === '' ? ['status'] : [],
  }
}

/** The draft with its managedFields brought up to date. */
export function trackFields(registry: Registry, request: WriteRequest, live: AnyObject | undefined, draft: AnyObject): AnyObject {
  return trackUpdate({ ...tracking(registry, request), live, updated: draft })
}

/** What is applied, merged into what is there; throws the conflict that upstream answers. */
export function applyFields(registry: Registry, request: WriteRequest, live: AnyObject | undefined, applied: AnyObject, force: boolean): AnyObject {
  return apply({ ...tracking(registry, request), live, applied, force })
}
