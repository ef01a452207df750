/** `serviceaccounts/NAME/token`: makes a token for an account, bound to a pod, secret or node where asked. */

import { timestamp } from '../../machinery/clock.ts'
import { badRequest, conflict, invalid, notFound } from '../../machinery/errors.ts'
import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { AuthenticationV1TokenRequest, V1BoundObjectReference } from '../../machinery/schema/generated/types.ts'
import type { RequestContext, RequestHandler, ServerAccess } from '../contracts.ts'
import type { ApiResponse } from '../request.ts'
import { type ServiceAccountClaims, serviceAccountUser } from './service-account-claims.ts'
import type { TokenSigner } from './token-signer.ts'

const tenMinutes = 600
const longest = 2 ** 32
/** What the admission of pods asks for: clients that do not read their file anew get a year, and are warned about. */
const extendedWhen = 3607
const year = 365 * 86_400

const boundKinds: Record<string, { resource: string; version: string; claim: 'pod' | 'secret' | 'node' }> = {
  Pod: { resource: 'pods', version: 'v1', claim: 'pod' },
  Secret: { resource: 'secrets', version: 'v1', claim: 'secret' },
  Node: { resource: 'nodes', version: 'v1', claim: 'node' },
}

export interface TokenRequestOptions {
  server: ServerAccess
  signer: TokenSigner
  issuer: string
  audiences: string[]
}

export function tokenRequest(options: TokenRequestOptions): RequestHandler {
  const { server, signer, issuer } = options

  async function serviceAccount(namespace: string, name: string): Promise<AnyObject> {
    const found = (await server.cached('serviceaccounts')).get(namespace, name)
    if (!found) throw notFound({ resource: 'serviceaccounts', name })
    return found
  }

  /** The claims for what the token is to be bound to; refuses what is not there or is another by its uid. */
  async function bound(namespace: string, account: string, reference: V1BoundObjectReference) {
    const kind = boundKinds[reference.kind ?? '']
    if (!kind || reference.apiVersion !== kind.version)
      throw badRequest(`cannot bind token for serviceaccount "${account}" to object of kind "${reference.kind ?? ''}"`)
    const name = reference.name ?? ''
    const found = (await server.cached(kind.resource)).get(kind.claim === 'node' ? '' : namespace, name)
    if (!found) throw notFound({ resource: kind.resource, name })
    const { uid } = found.metadata
    if (reference.uid && reference.uid !== uid)
      throw conflict(
        { resource: kind.resource, name },
        `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    const claims: Partial<ServiceAccountClaims['kubernetes.io']> = { [kind.claim]: { name, uid } }
    if (kind.claim === 'pod') {
      const spec = found.spec as { serviceAccountName?: string; nodeName?: string } | undefined
      if (spec?.serviceAccountName !== account)
        throw badRequest(`cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`)
      const node = spec.nodeName ? (await server.cached('nodes')).get('', spec.nodeName) : undefined
      if (spec.nodeName) claims.node = { name: spec.nodeName, uid: node?.metadata.uid ?? '' }
    }
    return claims
  }

  return {
    name: 'token-request',
    resources: ['serviceaccounts/token'],
    async handle(context: RequestContext): Promise<ApiResponse> {
      const { info, user, resource } = context
      const asked = (await context.body()) as Partial<AuthenticationV1TokenRequest> | undefined
      const account = await serviceAccount(info.namespace, info.name)
      const seconds = asked?.spec?.expirationSeconds ?? 3600
      const errors = checkExpiration(seconds)
      if (errors.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest', name: '' }, errors)
      if (resource) {
        const object = (asked ?? {}) as AnyObject
        const { namespace, name } = info
        await server.admit({
          verb: 'create',
          resource,
          subresource: 'token',
          namespace,
          name,
          object,
          old: undefined,
          user,
          options: {},
          dryRun: false,
          warn: (text) => context.warn(text),
        })
      }
      const audiences = asked?.spec?.audiences?.length ? asked.spec.audiences : options.audiences
      const reference = asked?.spec?.boundObjectRef
      const about = reference ? await bound(info.namespace, info.name, reference) : {}

      const now = Math.floor(server.clock.now() / 1000)
      const extended = about.pod !== undefined && seconds === extendedWhen && audiences.every((audience) => options.audiences.includes(audience))
      const claims: ServiceAccountClaims = {
        aud: audiences,
        exp: now + (extended ? year : seconds),
        iat: now,
        iss: issuer,
        jti: server.clock.uuid(),
        'kubernetes.io': {
          namespace: info.namespace,
          ...about,
          serviceaccount: { name: info.name, uid: account.metadata.uid },
          ...(extended ? { warnafter: now + seconds } : {}),
        },
        nbf: now,
        sub: serviceAccountUser(info.namespace, info.name),
      }
      const object = {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { name: info.name, namespace: info.namespace, creationTimestamp: timestamp(now * 1000) },
        spec: { audiences, expirationSeconds: seconds, boundObjectRef: reference ?? null },
        status: { token: signer.sign({ ...claims }), expirationTimestamp: timestamp((now + seconds) * 1000) },
      }
      return { kind: 'object', status: 201, object }
    },
  }
}

function checkExpiration(seconds: number): FieldError[] {
  if (seconds < tenMinutes) return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')]
  if (seconds > longest) return [invalidValue('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')]
  return []
}
