import { timestamp } from '../machinery/clock.ts'
import type { V1NamespaceCondition } from '../machinery/schema/generated/types.ts'

/** What keeps a namespace from going. */
export interface Remains {
  /** Groups that could not be discovered. */
  failed: string[]
  /** What could not be deleted, and why. */
  errors: string[]
  /** Objects that are left, by resource. */
  counts: Map<string, number>
  /** Finalizers on them, and on how many. */
  finalizers: Map<string, number>
  /** When to look again. */
  waitMs: number
}

type Finding = { status: 'True' | 'False'; reason: string; message: string }

/** Upstream's conditions of a namespace that ends: `kubectl describe namespace` shows them. */
export function namespaceConditions(known: V1NamespaceCondition[], remains: Remains, now: number): V1NamespaceCondition[] {
  const found: Record<string, Finding> = {
    NamespaceDeletionDiscoveryFailure: remains.failed.length
      ? yes(
          'DiscoveryFailed',
          `Discovery failed for some groups, ${remains.failed.length} failing: unable to retrieve the complete list of server APIs: ${remains.failed.join(', ')}`,
        )
      : no('ResourcesDiscovered', 'All resources successfully discovered'),
    NamespaceDeletionGroupVersionParsingFailure: no('ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    NamespaceDeletionContentFailure: remains.errors.length
      ? yes('ContentDeletionFailed', `Failed to delete all resource types, ${remains.errors.length} remaining: ${remains.errors.join(', ')}`)
      : no('ContentDeleted', 'All content successfully deleted, may be waiting on finalization'),
    NamespaceContentRemaining: remains.counts.size
      ? yes('SomeResourcesRemain', `Some resources are remaining: ${listed(remains.counts, (name, count) => `${name}. has ${count} resource instances`)}`)
      : no('ContentRemoved', 'All content successfully removed'),
    NamespaceFinalizersRemaining: remains.finalizers.size
      ? yes(
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${listed(remains.finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
        )
      : no('ContentHasNoFinalizers', 'All content-preserving finalizers finished'),
  }
  return Object.entries(found).map(([type, finding]) => {
    const before = known.find((condition) => condition.type === type)
    const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : timestamp(now)
    return { type, ...finding, lastTransitionTime }
  })
}

const yes = (reason: string, message: string): Finding => ({ status: 'True', reason, message })
const no = (reason: string, message: string): Finding => ({ status: 'False', reason, message })

const listed = (counts: Map<string, number>, say: (name: string, count: number) => string): string =>
  [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => say(name, count))
    .join(', ')
