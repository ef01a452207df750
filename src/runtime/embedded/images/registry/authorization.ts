/** Answers a registry's demand for authorization: Basic, or a Bearer token fetched from the place it names. */
import type { RegistryAuth } from '../../../runtime.ts'
import { failedRequest, passesByItself, TransientError } from './transient-error.ts'

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
    const asked = identity ? realm : `${realm}?${query}`
    const failed = `failed to authorize: failed to fetch ${identity ? 'oauth' : basic ? 'basic' : 'anonymous'} token`
    let response: Response
    let text: string
    try {
      response = await (identity
        ? fetch(realm, {
            method: 'POST',
            body: new URLSearchParams([...query, ['grant_type', 'refresh_token'], ['refresh_token', identity], ['client_id', 'skiff']]),
            ...(signal ? { signal } : {}),
          })
        : fetch(asked, { headers: basic ? { authorization: basic } : {}, ...(signal ? { signal } : {}) }))
      text = await response.text()
    } catch (error) {
      signal?.throwIfAborted()
      const { message, passes } = failedRequest(asked, error)
      const Failure = passes ? TransientError : Error
      throw new Failure(`${failed}: ${message}`, { cause: error })
    }
    if (!response.ok) {
      // Who is refused hears so of the registry itself.
      if (passesByItself(response.status))
        throw new TransientError(`${failed}: unexpected status from ${identity ? 'POST' : 'GET'} request to ${asked}: ${response.status}`)
      return undefined
    }
    const token = tokenIn(text)
    if (token === undefined) throw new Error(`${failed}: the answer of ${realm} holds none`)
    return `Bearer ${token}`
  }
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: other } = (JSON.parse(text) ?? {}) as { token?: unknown; access_token?: unknown }
    return [token, other].find((one): one is string => typeof one === 'string' && one !== '')
  } catch {
    // Not JSON: there is none in it.
    return undefined
  }
}
