/** The sentence that says what was not allowed to whom, as upstream puts it. */
import type { AuthorizationAttributes } from '../contracts.ts'

/** `User "x" cannot list resource "pods" in API group "" in the namespace "y"`, with the authorizers' reason where there is one. */
export function forbiddenReason({ user, info }: AuthorizationAttributes, reason = ''): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${info.verb}`
  const why = reason ? `: ${reason}` : ''
  if (!info.isResourceRequest) return `${who} path ${JSON.stringify(info.path)}${why}`
  const resource = info.subresource ? `${info.resource}/${info.subresource}` : info.resource
  const where = info.namespace ? `in the namespace ${JSON.stringify(info.namespace)}` : 'at the cluster scope'
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)} ${where}${why}`
}
