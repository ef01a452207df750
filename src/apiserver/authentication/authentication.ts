/**
 * Who calls: by client certificate, by token, else nobody in particular (`system:anonymous`). Everybody known is
 * of `system:authenticated`. With {@link impersonated}, who is meant may be another than who calls.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { unauthorized } from '../../machinery/errors.ts'
import type { Authenticator, RequestHandler, ServerPart, ServerPartFactory } from '../contracts.ts'
import { hostOf } from '../host.ts'
import type { ApiRequest, UserInfo } from '../request.ts'
import { bootstrapUser } from './bootstrap-tokens.ts'
import { impersonated } from './impersonation.ts'
import { selfSubjectReview, tokenReview } from './reviews.ts'
import { ServiceAccountTokenJudge, TokenRefused } from './service-account-tokens.ts'
import { tokenRequest } from './token-request.ts'
import { tokenSecretHooks } from './token-secret.ts'
import { type TokenKey, TokenSigner } from './token-signer.ts'

export interface AuthenticationOptions {
  serviceAccountKey: TokenKey
  issuer?: string
  /** PEM; goes into Secrets that hold a token. */
  clusterCa?: string
  /** Those a token must be for to be good at this server; the issuer alone when absent. */
  audiences?: string[]
  /** Tokens known from the start, as of a `--token-auth-file`. */
  staticTokens?: { token: string; user: UserInfo }[]
  /** Whether requests without credentials go on as `system:anonymous`; true when absent. */
  anonymous?: boolean
}

export const defaultIssuer = 'https://kubernetes.default.svc.cluster.local'

const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

const withAuthenticated = (groups: string[]) => (groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'])

const digest = (text: string) => createHash('sha256').update(text).digest()

function bearerToken({ headers }: ApiRequest): string | undefined {
  const match = /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')
  if (match?.[1]) return match[1]
  // Browsers cannot set headers of a WebSocket: the token comes as one of its protocols.
  const protocol = headers['sec-websocket-protocol']?.split(',').find((one) => one.trim().startsWith(websocketPrefix))
  return protocol && Buffer.from(protocol.trim().slice(websocketPrefix.length), 'base64url').toString()
}
const websocketPrefix = 'base64url.bearer.authorization.k8s.io.'

function certificateUser({ certificate }: ApiRequest): UserInfo | undefined {
  if (!certificate?.commonName) return undefined
  return {
    name: certificate.commonName,
    groups: withAuthenticated(certificate.organizations),
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint.replaceAll(':', '').toLowerCase()}`] },
  }
}

/** The issuer's public face, by which others may check tokens (OpenID Connect discovery). */
function issuerDocuments(signer: TokenSigner, issuer: string): RequestHandler {
  return {
    name: 'service-account-issuer',
    paths: ['/.well-known/openid-configuration', '/openid/v1/jwks'],
    async handle({ request }) {
      const headers = { 'cache-control': 'public, max-age=3600' }
      if (request.path === '/openid/v1/jwks')
        return { kind: 'bytes', status: 200, contentType: 'application/jwk-set+json', bytes: JSON.stringify(signer.keySet()), headers }
      const document = {
        issuer,
        jwks_uri: `https://${hostOf(request) ?? 'kubernetes.default.svc'}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: signer.algorithms,
      }
      return { kind: 'bytes', status: 200, contentType: 'application/json', bytes: JSON.stringify(document), headers }
    },
  }
}

export function authentication(options: AuthenticationOptions): ServerPartFactory {
  return (server): ServerPart => {
    const issuer = options.issuer ?? defaultIssuer
    const audiences = options.audiences ?? [issuer]
    const signer = new TokenSigner(options.serviceAccountKey)
    const accepted = {
      bound: server.metrics.counter('serviceaccount_valid_tokens_total', 'Tokens of service accounts that were good.').of(),
      legacy: server.metrics.counter('serviceaccount_legacy_tokens_total', 'Tokens of service accounts out of Secrets that were good.').of(),
    }
    const judge = new ServiceAccountTokenJudge({ signer, issuer, clock: server.clock, accepted, cached: (resource) => server.cached(resource) })
    const fixed = (options.staticTokens ?? []).map(({ token, user }) => ({ digest: digest(token), user }))

    function fixedUser(token: string): UserInfo | undefined {
      if (fixed.length === 0) return undefined
      const given = digest(token)
      const found = fixed.find((one) => timingSafeEqual(one.digest, given))
      return found && { ...found.user, groups: withAuthenticated(found.user.groups) }
    }

    async function tokenUser(token: string): Promise<UserInfo> {
      const known = fixedUser(token) ?? (await bootstrapUser(server, token))
      if (known) return known
      try {
        return (await judge.judge(token, audiences)).user
      } catch (error) {
        if (error instanceof TokenRefused) throw unauthorized()
        throw error
      }
    }

    async function caller(request: ApiRequest): Promise<UserInfo | undefined> {
      const known = certificateUser(request)
      if (known) return known
      const token = bearerToken(request)
      if (token) return await tokenUser(token)
      return options.anonymous === false ? undefined : anonymousUser
    }

    const authenticator: Authenticator = {
      name: 'certificates, tokens, anonymous',
      async authenticate(request) {
        const user = await caller(request)
        return user && ((await impersonated(request, user, (attributes) => server.authorize(attributes))) ?? user)
      },
    }
    const review = async (token: string, asked: string[]) => {
      const known = fixedUser(token)
      if (known) return { user: known, audiences: asked }
      const own = asked.filter((audience) => audiences.includes(audience))
      const joining = own.length > 0 ? await bootstrapUser(server, token) : undefined
      return joining ? { user: joining, audiences: own } : await judge.judge(token, asked)
    }
    return {
      name: 'authentication',
      authenticators: [authenticator],
      hooks: { secrets: tokenSecretHooks(server, signer, options.clusterCa) },
      handlers: [
        tokenRequest({ server, signer, issuer, audiences }),
        tokenReview(audiences, review),
        selfSubjectReview(server),
        issuerDocuments(signer, issuer),
      ],
    }
  }
}
