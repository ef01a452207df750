/**
 * Rules as lines, one a rule, so that a page of them can be read at a glance:
 * `VERBS | GROUPS | RESOURCES` or `VERBS | GROUPS | RESOURCES | NAMES`, and `VERBS | /PATH /PATH` for what is not a
 * resource. `core` is the group without a name; `read` and `write` stand for their verbs.
 */
import type { V1PolicyRule } from '../../../machinery/schema/generated/types.ts'

const shorthand: Record<string, string[]> = {
  read: ['get', 'list', 'watch'],
  write: ['create', 'delete', 'deletecollection', 'patch', 'update'],
}
const words = (text = '') => text.split(' ').filter((word) => word !== '')

export function rule(line: string): V1PolicyRule {
  const [verbs, second = '', resources, names] = line.split('|')
  const expanded = words(verbs).flatMap((verb) => shorthand[verb] ?? [verb])
  if (resources === undefined) return { nonResourceURLs: words(second), verbs: expanded }
  return {
    apiGroups: words(second).map((group) => (group === 'core' ? '' : group)),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
    verbs: expanded,
  }
}
