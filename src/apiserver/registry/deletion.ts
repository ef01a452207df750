/** What a deletion does to an object: it goes, or is marked and waits for its finalizers or its grace period. */
import { timestamp } from '../../machinery/clock.ts'
import { badRequest } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { Registry } from './registry.ts'
import type { WriteRequest } from './write-request.ts'

export interface DeleteOptions {
  gracePeriodSeconds?: number
  propagationPolicy?: string
  orphanDependents?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: string[]
}

export type DeletionPlan = { kind: 'remove' } | { kind: 'mark'; draft: AnyObject } | { kind: 'nothing' }

const orphan = 'orphan'
const foreground = 'foregroundDeletion'

export function planDeletion(registry: Registry, object: AnyObject, options: DeleteOptions): DeletionPlan {
  const { metadata } = object
  const finalizers = finalizersAfter(metadata.finalizers ?? [], options)
  const grace = registry.resource.gracePeriod?.(object, options.gracePeriodSeconds) ?? 0
  const held = finalizers.length > 0 || isHeldBack(registry, object)
  const draft = () => {
    const { finalizers: _, ...rest } = metadata
    return { ...object, metadata: { ...rest, ...(finalizers.length > 0 ? { finalizers } : {}) } }
  }
  if (!metadata.deletionTimestamp) {
    if (grace === 0 && !held) return { kind: 'remove' }
    const marked = draft()
    marked.metadata.deletionTimestamp = timestamp(registry.clock.now() + grace * 1000)
    marked.metadata.deletionGracePeriodSeconds = grace
    if (marked.metadata.generation) marked.metadata.generation++
    for (const hook of registry.hooks) hook.deletionMarked?.(marked)
    return { kind: 'mark', draft: marked }
  }
  const remaining = metadata.deletionGracePeriodSeconds ?? 0
  const shorter = options.gracePeriodSeconds !== undefined && grace < remaining
  if (!held && (shorter || remaining === 0) && grace === 0) return { kind: 'remove' }
  const changed = draft()
  if (shorter) {
    changed.metadata.deletionTimestamp = timestamp(Date.parse(metadata.deletionTimestamp) - (remaining - grace) * 1000)
    changed.metadata.deletionGracePeriodSeconds = grace
  } else if (finalizers.length === (metadata.finalizers?.length ?? 0) && finalizers.every((name) => metadata.finalizers?.includes(name)))
    return { kind: 'nothing' }
  return { kind: 'mark', draft: changed }
}

/** The propagation policy is carried by finalizers, which the garbage collector works off. */
function finalizersAfter(finalizers: readonly string[], { propagationPolicy, orphanDependents }: DeleteOptions): string[] {
  if (propagationPolicy === undefined && orphanDependents === undefined) return [...finalizers]
  const others = finalizers.filter((name) => name !== orphan && name !== foreground)
  if (orphanDependents === true || propagationPolicy === 'Orphan') return [...others, orphan]
  return propagationPolicy === 'Foreground' ? [...others, foreground] : others
}

export function checkDeleteOptions(options: DeleteOptions): void {
  const { propagationPolicy, orphanDependents, gracePeriodSeconds } = options
  if (propagationPolicy !== undefined && orphanDependents !== undefined) throw badRequest('orphanDependents and deletionPropagation cannot be both set')
  if (propagationPolicy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy))
    throw badRequest(
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    )
  if (gracePeriodSeconds !== undefined && (!Number.isInteger(gracePeriodSeconds) || gracePeriodSeconds < -1))
    throw badRequest(`gracePeriodSeconds: Invalid value: ${JSON.stringify(gracePeriodSeconds)}`)
}

/** Something beside its finalizers keeps the object. */
export function isHeldBack(registry: Registry, object: AnyObject): boolean {
  return registry.hooks.some((hook) => hook.heldBack?.(object))
}

export async function afterRemoval(registry: Registry, request: WriteRequest, object: AnyObject): Promise<void> {
  for (const hook of registry.hooks) if (hook.afterDelete) await registry.after('delete', () => hook.afterDelete?.(object, registry.hookAttributes(request)))
}
