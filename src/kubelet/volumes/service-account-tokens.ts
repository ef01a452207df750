import type { Client } from '../../client/client.ts'
import { ServiceAccount } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { AuthenticationV1TokenRequest, V1Pod } from '../../machinery/schema/generated/types.ts'

interface Token {
  token: string
  refreshAt: number
}

const day = 24 * 3600 * 1000

/** Tokens of service accounts, bound to their pods; asked for again after 80 % of their life, or a day. */
export class ServiceAccountTokens {
  readonly #client: Client
  readonly #clock: Clock
  readonly #tokens = new Map<string, Token>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async get(pod: V1Pod, audience: string | undefined, expirationSeconds: number): Promise<Token> {
    const { name, namespace, uid } = pod.metadata
    const key = JSON.stringify([uid, audience, expirationSeconds])
    const known = this.#tokens.get(key)
    const now = this.#clock.now()
    if (known && known.refreshAt > now) return known
    const answer = await this.#client.subresource<AuthenticationV1TokenRequest>(
      ServiceAccount,
      { name: pod.spec.serviceAccountName || 'default', namespace },
      'token',
      'create',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: audience ? [audience] : [], expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
      },
    )
    const end = answer.status?.expirationTimestamp ? Date.parse(answer.status.expirationTimestamp) : now + expirationSeconds * 1000
    const token = { token: answer.status?.token ?? '', refreshAt: Math.min(now + (end - now) * 0.8, now + day) }
    this.#tokens.set(key, token)
    return token
  }

  forget(uid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`["${uid}"`)) this.#tokens.delete(key)
  }
}
