/** `Impersonate-User` and its companions: acting as somebody else, where the caller may. */
import { badRequest, forbidden } from '../../machinery/errors.ts'
import { forbiddenReason } from '../authorization/forbidden-reason.ts'
import type { AuthorizationAttributes, Decision } from '../contracts.ts'
import type { ApiRequest, RequestInfo, UserInfo } from '../request.ts'
import { serviceAccountGroups, splitServiceAccountUser } from './service-account-claims.ts'

const anonymous = 'system:anonymous'
const extraHeader = 'impersonate-extra-'

interface Asked {
  resource: string
  subresource?: string
  group?: string
  name: string
  namespace?: string
}

/** Headers that stood several times come joined by a comma. */
const list = (value: string | undefined) => (value ? value.split(',').map((one) => one.trim()) : [])

function readExtra(headers: Record<string, string>): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const [name, value] of Object.entries(headers)) if (name.startsWith(extraHeader)) extra[decodeURIComponent(name.slice(extraHeader.length))] = list(value)
  return extra
}

function info({ resource, subresource = '', group = '', name, namespace = '' }: Asked): RequestInfo {
  return { isResourceRequest: true, path: '', verb: 'impersonate', group, version: 'v1', namespace, resource, subresource, name, rest: '' }
}

/** The user that the request is to be made as; undefined when it asks for none. Throws Forbidden where the caller may not. */
export async function impersonated(
  request: ApiRequest,
  caller: UserInfo,
  authorize: (attributes: AuthorizationAttributes) => Promise<Decision>,
): Promise<UserInfo | undefined> {
  const { headers } = request
  const name = headers['impersonate-user']
  const uid = headers['impersonate-uid']
  const groups = list(headers['impersonate-group'])
  const extra = readExtra(headers)
  if (!name) {
    if (groups.length > 0 || uid || Object.keys(extra).length > 0) throw badRequest('requested impersonation without impersonating a user')
    return undefined
  }

  const account = splitServiceAccountUser(name)
  const authentication = 'authentication.k8s.io'
  const asked: Asked[] = [
    account ? { resource: 'serviceaccounts', ...account } : { resource: 'users', name },
    ...groups.map((group) => ({ resource: 'groups', name: group })),
    ...(uid ? [{ resource: 'uids', group: authentication, name: uid }] : []),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ({ resource: 'userextras', subresource: key, group: authentication, name: value })),
    ),
  ]
  for (const one of asked) {
    const attributes = { user: caller, info: info(one) }
    const { decision, reason } = await authorize(attributes)
    if (decision !== 'allowed') throw forbidden({ group: one.group ?? '', resource: one.resource, name: one.name }, forbiddenReason(attributes, reason))
  }

  const given = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups
  const standing = name === anonymous ? 'system:unauthenticated' : 'system:authenticated'
  return {
    name,
    ...(uid ? { uid } : {}),
    groups: given.includes('system:unauthenticated') || given.includes(standing) ? given : [...given, standing],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}
