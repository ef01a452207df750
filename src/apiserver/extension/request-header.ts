/**
 * Who calls an extension API server: whom the aggregating server names in its headers, which is believed only of
 * the front proxy's certificate; else the bearer of a token that the main server knows; else nobody in particular.
 */
import type { Client, ResourceRef } from '../../client/client.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { V1TokenReview } from '../../machinery/schema/generated/types.ts'
import type { ServerPartFactory } from '../contracts.ts'
import type { ApiRequest, UserInfo } from '../request.ts'

export interface RequestHeaderOptions {
  /** Common names of the front proxy; any that its authority has signed when absent. */
  allowedNames?: readonly string[]
  /** Asked about tokens. */
  client: Client
}

const TokenReview: ResourceRef = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview', plural: 'tokenreviews', namespaced: false }
const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** The server must accept client certificates of the front proxy's authority alone. */
export function requestHeaderAuthentication({ allowedNames, client }: RequestHeaderOptions): ServerPartFactory {
  return () => ({
    name: 'request headers',
    authenticators: [
      {
        name: 'front proxy, tokens, anonymous',
        async authenticate(request) {
          const { certificate, headers } = request
          if (certificate && (!allowedNames || allowedNames.includes(certificate.commonName))) return namedUser(request) ?? anonymous
          const token = /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
          return token ? await bearer(client, token) : anonymous
        },
      },
    ],
  })
}

function namedUser(request: ApiRequest): UserInfo | undefined {
  const { headers } = request
  const name = headers['x-remote-user']
  if (!name) return undefined
  const values = (header: string): string[] => [...(request.headerValues?.(header) ?? (headers[header] === undefined ? [] : [headers[header]]))]
  const extra: Record<string, string[]> = {}
  for (const header of Object.keys(headers))
    if (header.startsWith('x-remote-extra-')) extra[decodeURIComponent(header.slice('x-remote-extra-'.length))] = values(header)
  const uid = headers['x-remote-uid']
  return { name, ...(uid ? { uid } : {}), groups: values('x-remote-group'), ...(Object.keys(extra).length > 0 ? { extra } : {}) }
}

async function bearer(client: Client, token: string): Promise<UserInfo | undefined> {
  const review = { metadata: {}, spec: { token } } as unknown as KubeObject
  const { status } = (await client.create(TokenReview, review)) as unknown as V1TokenReview
  const { username, uid, groups = [] } = status?.user ?? {}
  return status?.authenticated && username ? { name: username, ...(uid ? { uid } : {}), groups } : undefined
}
