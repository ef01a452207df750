/** What a service account's token says, and the user it makes. */
import type { UserInfo } from '../request.ts'
import type { Claims } from './token-signer.ts'

interface NameAndUid {
  name: string
  uid: string
}

export interface ServiceAccountClaims {
  aud: string[]
  exp: number
  iat: number
  nbf: number
  iss: string
  jti: string
  sub: string
  'kubernetes.io': {
    namespace: string
    serviceaccount: NameAndUid
    pod?: NameAndUid
    secret?: NameAndUid
    node?: NameAndUid
    /** Seconds since the epoch after which use of the token is old-fashioned but still good. */
    warnafter?: number
  }
}

export const serviceAccountUser = (namespace: string, name: string) => `system:serviceaccount:${namespace}:${name}`

/** Namespace and name, when the user is a service account. */
export function splitServiceAccountUser(user: string): { namespace: string; name: string } | undefined {
  const [system, kind, namespace, name, ...more] = user.split(':')
  return system === 'system' && kind === 'serviceaccount' && namespace && name && more.length === 0 ? { namespace, name } : undefined
}

export const serviceAccountGroups = (namespace: string) => ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]

export const isBoundClaims = (claims: Claims): claims is Claims & ServiceAccountClaims =>
  typeof claims['kubernetes.io'] === 'object' && claims['kubernetes.io'] !== null

export function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const prefix = 'authentication.kubernetes.io'
  return {
    name: serviceAccountUser(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
    extra: {
      [`${prefix}/credential-id`]: [`JTI=${claims.jti}`],
      ...(node ? { [`${prefix}/node-name`]: [node.name], ...(node.uid ? { [`${prefix}/node-uid`]: [node.uid] } : {}) } : {}),
      ...(pod ? { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] } : {}),
    },
  }
}
