/**
 * Judges tokens of service accounts: who signed, for whom, until when, and whether what they are bound to (the
 * account, a pod, a secret, a node) still is. A token of a deleted pod is worth nothing from that moment.
 */
import type { Clock } from '../../machinery/clock.ts'
import type { Series } from '../../machinery/metrics/registry.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { CachedObjects } from '../contracts.ts'
import type { UserInfo } from '../request.ts'
import { isBoundClaims, type ServiceAccountClaims, serviceAccountGroups, userOf } from './service-account-claims.ts'
import { type Claims, type TokenSigner, unverifiedClaims } from './token-signer.ts'

export interface TokenVerdict {
  user: UserInfo
  /** Those of the asked ones that the token is for. */
  audiences: string[]
}

/** Why a token is refused; told in a TokenReview, never to a stranger. */
export class TokenRefused extends Error {
  constructor(why: string) {
    super(why)
    this.name = 'TokenRefused'
  }
}

export interface TokenJudgeOptions {
  signer: TokenSigner
  issuer: string
  clock: Clock
  cached(groupResource: string): Promise<CachedObjects>
  /** Tokens that were good: those that end by themselves, and those that are kept in Secrets. */
  accepted: { bound: Series; legacy: Series }
}

/** Signature checks that are remembered. */
const remembered = 10_000

export class ServiceAccountTokenJudge {
  readonly #options: TokenJudgeOptions
  readonly #verified = new Map<string, Claims>()

  constructor(options: TokenJudgeOptions) {
    this.#options = options
  }

  /** Whether the token claims to be one of ours; others may be for another authenticator. */
  claims(token: string): boolean {
    const issuer = unverifiedClaims(token)?.iss
    return issuer === this.#options.issuer || issuer === legacyIssuer
  }

  async judge(token: string, audiences: readonly string[]): Promise<TokenVerdict> {
    const claims = this.#verify(token)
    const { accepted } = this.#options
    if (claims.iss === legacyIssuer) {
      const user = await this.#judgeLegacy(token, claims)
      accepted.legacy.add()
      return { user, audiences: [...audiences] }
    }
    if (!isBoundClaims(claims) || claims.iss !== this.#options.issuer) throw new TokenRefused('the token was not issued by this server')
    const now = this.#options.clock.now() / 1000
    if (typeof claims.exp !== 'number' || now > claims.exp) throw new TokenRefused('service account token has expired')
    if (typeof claims.nbf === 'number' && now < claims.nbf - 60) throw new TokenRefused('service account token is not valid yet')
    const matching = audiences.filter((audience) => claims.aud.includes(audience))
    if (matching.length === 0)
      throw new TokenRefused(`token audiences ${JSON.stringify(claims.aud)} is invalid for the target audiences ${JSON.stringify(audiences)}`)
    await this.#stillBound(claims)
    accepted.bound.add()
    return { user: userOf(claims), audiences: matching }
  }

  #verify(token: string): Claims {
    const known = this.#verified.get(token)
    if (known) return known
    const claims = this.#options.signer.verify(token)
    if (!claims) throw new TokenRefused('the token is not signed by a key of this server')
    if (this.#verified.size >= remembered) {
      const [oldest] = this.#verified.keys()
      if (oldest !== undefined) this.#verified.delete(oldest)
    }
    this.#verified.set(token, claims)
    return claims
  }

  async #stillBound(claims: ServiceAccountClaims): Promise<void> {
    const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io']
    await this.#same('serviceaccounts', namespace, serviceaccount, 'service account')
    if (pod) await this.#same('pods', namespace, pod, 'pod')
    if (secret) await this.#same('secrets', namespace, secret, 'secret')
    // The node of a pod's token is told, not checked: the pod may outlive it. A token bound to the node alone is checked.
    if (node && !pod) await this.#same('nodes', '', node, 'node')
  }

  async #same(resource: string, namespace: string, bound: { name: string; uid: string }, words: string): Promise<AnyObject> {
    const found = (await this.#options.cached(resource)).get(namespace, bound.name)
    if (!found) throw new TokenRefused(`${words} ${bound.name} has been deleted`)
    if (found.metadata.uid !== bound.uid) throw new TokenRefused(`the UID in the claim does not match the ${words} ${bound.name}`)
    return found
  }

  /** A token that is kept in a Secret: good for as long as the Secret holds it. */
  async #judgeLegacy(token: string, claims: Claims): Promise<UserInfo> {
    const text = (name: string) => String(claims[`kubernetes.io/serviceaccount/${name}`] ?? '')
    const namespace = text('namespace')
    const account = { name: text('service-account.name'), uid: text('service-account.uid') }
    const secret = (await this.#options.cached('secrets')).get(namespace, text('secret.name'))
    const data = secret?.data as Record<string, string> | undefined
    if (!data?.token || Buffer.from(data.token, 'base64').toString() !== token) throw new TokenRefused('the secret of the token is gone')
    await this.#same('serviceaccounts', namespace, account, 'service account')
    return { name: String(claims.sub), uid: account.uid, groups: [...serviceAccountGroups(namespace), 'system:authenticated'] }
  }
}

export const legacyIssuer = 'kubernetes/serviceaccount'

/** The claims of a token for a Secret of type `kubernetes.io/service-account-token`. */
export function legacyClaims(at: { namespace: string; secret: string; account: { name: string; uid: string } }): Claims {
  const prefix = 'kubernetes.io/serviceaccount'
  return {
    iss: legacyIssuer,
    [`${prefix}/namespace`]: at.namespace,
    [`${prefix}/secret.name`]: at.secret,
    [`${prefix}/service-account.name`]: at.account.name,
    [`${prefix}/service-account.uid`]: at.account.uid,
    sub: `system:serviceaccount:${at.namespace}:${at.account.name}`,
  }
}
