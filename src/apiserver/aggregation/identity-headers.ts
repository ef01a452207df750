/** The caller's name, told to an extension server in headers that it believes from this server alone. */
import type { UserInfo } from '../request.ts'

export type HeaderValues = Record<string, string | string[]>

const ours = /^x-remote-(user|uid|group|extra-)/

export function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): HeaderValues {
  const headers: HeaderValues = {
    'x-remote-user': name,
    ...(uid ? { 'x-remote-uid': uid } : {}),
    ...(groups.length > 0 ? { 'x-remote-group': [...groups] } : {}),
  }
  for (const [key, values] of Object.entries(extra)) headers[`x-remote-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values]
  return headers
}

/** What a client says of itself in these headers is not passed on. */
export const withoutIdentity = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ours.test(name)))
