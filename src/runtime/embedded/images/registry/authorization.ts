/** Answers a registry's demand for authorization: Basic, or a Bearer token fetched from the place it names. */
import type { RegistryAuth } from '../../../runtime.ts'

export interface Challenge {
  scheme: 'basic' | 'bearer'
  parameters: Record<string, string>
}

export function parseChallenge(header: string | null): Challenge | undefined {
  const match = /^\s*(basic|bearer)\s*(.*)$/i.exec(header ?? '')
  if (!match) return undefined
  const parameters: Record<string, string> = {}
  for (const [, key = '', quoted, plain] of (match[2] ?? '').matchAll(/([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/gi))
    parameters[key.toLowerCase()] = quoted ?? plain ?? ''
  return { scheme: match[1]?.toLowerCase() === 'basic' ? 'basic' : 'bearer', parameters }
}

export class Authorizer {
  readonly #auth: RegistryAuth | undefined
  readonly #tokens = new Map<string, string>()

  constructor(auth: RegistryAuth | undefined) {
    this.#auth = auth
  }

  /** What was good for this address before. */
  known(origin: string): string | undefined {
    return this.#tokens.get(origin) ?? (this.#auth?.registryToken ? `Bearer ${this.#auth.registryToken}` : undefined)
  }

  /** The value of an Authorization header; undefined when there is nothing to offer. */
  async answer(origin: string, challenge: Challenge, scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const value = challenge.scheme === 'basic' ? this.#basic() : await this.#token(challenge.parameters, scope, signal)
    if (value) this.#tokens.set(origin, value)
    return value
  }

  #basic(): string | undefined {
    const { username, password } = this.#auth ?? {}
    return username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  }

  async #token(parameters: Record<string, string>, scope: string, signal?: AbortSignal): Promise<string | undefined> {
    const { realm, service } = parameters
    if (!realm) return undefined
    const query = new URLSearchParams({ ...(service ? { service } : {}), scope: parameters.scope ?? scope })
    const identity = this.#auth?.identityToken
    const basic = this.#basic()
    const response = identity
      ? await fetch(realm, {
          method: 'POST',
          body: new URLSearchParams([...query, ['grant_type', 'refresh_token'], ['refresh_token', identity], ['client_id', 'skiff']]),
          ...(signal ? { signal } : {}),
        })
      : await fetch(`${realm}?${query}`, { headers: basic ? { authorization: basic } : {}, ...(signal ? { signal } : {}) })
    if (!response.ok) {
      await response.body?.cancel()
      return undefined
    }
    const answer = (await response.json()) as { token?: string; access_token?: string }
    const token = answer.token ?? answer.access_token
    return token && `Bearer ${token}`
  }
}
