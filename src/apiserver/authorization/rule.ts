/** One rule of a role: what it covers. */
import type { V1PolicyRule } from '../../machinery/schema/generated/types.ts'
import type { RequestInfo } from '../request.ts'

const has = (list: readonly string[] | undefined, value: string) => list !== undefined && (list.includes(value) || list.includes('*'))

function resourceMatches(rule: V1PolicyRule, resource: string, subresource: string): boolean {
  const combined = subresource ? `${resource}/${subresource}` : resource
  return (
    rule.resources?.some(
      // `*/scale` is the scale of everything; `pods/*` is not a form of RBAC.
      (one) => one === '*' || one === combined || (subresource !== '' && one === `*/${subresource}`),
    ) ?? false
  )
}

function pathMatches(rule: V1PolicyRule, path: string): boolean {
  return rule.nonResourceURLs?.some((one) => one === '*' || one === path || (one.endsWith('*') && path.startsWith(one.slice(0, -1)))) ?? false
}

export function covers(rule: V1PolicyRule, info: RequestInfo): boolean {
  if (!has(rule.verbs, info.verb)) return false
  if (!info.isResourceRequest) return pathMatches(rule, info.path)
  if (!has(rule.apiGroups, info.group) || !resourceMatches(rule, info.resource, info.subresource)) return false
  return !rule.resourceNames?.length || (info.name !== '' && rule.resourceNames.includes(info.name))
}
