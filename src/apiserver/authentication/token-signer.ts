/**
 * JSON Web Tokens of service accounts: signed with the cluster's key (ES256, or RS256 for a key brought from
 * elsewhere) and checked against it. Synchronous, on node's own cryptography: a request waits for no worker.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export interface TokenKey {
  /** PEM. */
  privateKey: string
  /** Further public keys whose tokens still count (after the key was changed). PEM. */
  alsoTrusted?: string[]
}

export type Claims = Record<string, unknown>

type Algorithm = 'ES256' | 'RS256'

interface VerifyingKey {
  id: string
  algorithm: Algorithm
  key: KeyObject
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function verifyingKey(key: KeyObject): VerifyingKey {
  const der = key.export({ type: 'spki', format: 'der' })
  const algorithm = key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256'
  return { id: createHash('sha256').update(der).digest('base64url'), algorithm, key }
}

// JWS wants the two numbers of an ECDSA signature side by side, not in DER.
const keyInput = (key: KeyObject) => ({ key, dsaEncoding: 'ieee-p1363' as const })

export class TokenSigner {
  readonly #privateKey: KeyObject
  readonly #own: VerifyingKey
  readonly #trusted: readonly VerifyingKey[]

  constructor(key: TokenKey) {
    this.#privateKey = createPrivateKey(key.privateKey)
    this.#own = verifyingKey(createPublicKey(this.#privateKey))
    this.#trusted = [this.#own, ...(key.alsoTrusted ?? []).map((pem) => verifyingKey(createPublicKey(pem)))]
  }

  get algorithms(): string[] {
    return [...new Set(this.#trusted.map(({ algorithm }) => algorithm))]
  }

  sign(claims: Claims): string {
    const text = `${encode({ alg: this.#own.algorithm, kid: this.#own.id })}.${encode(claims)}`
    return `${text}.${sign('sha256', Buffer.from(text), keyInput(this.#privateKey)).toString('base64url')}`
  }

  /** The claims, if one of the trusted keys signed them; says nothing of their time or audience. */
  verify(token: string): Claims | undefined {
    const [header, payload, signature, ...more] = token.split('.')
    if (!header || !payload || !signature || more.length > 0) return undefined
    const head = parse(header)
    const text = Buffer.from(`${header}.${payload}`)
    const bytes = Buffer.from(signature, 'base64url')
    // The algorithm is the key's own, never the header's choice.
    const candidates = this.#trusted.filter(({ id, algorithm }) => head?.alg === algorithm && (head.kid === undefined || head.kid === id))
    return candidates.some(({ key }) => verify('sha256', text, keyInput(key), bytes)) ? parse(payload) : undefined
  }

  /** The public keys, as `/openid/v1/jwks` tells them. */
  keySet() {
    return { keys: this.#trusted.map(({ id, algorithm, key }) => ({ use: 'sig', kid: id, alg: algorithm, ...key.export({ format: 'jwk' }) })) }
  }
}

/** The claims as they are written, without a check: only to see whose token it would be. */
export function unverifiedClaims(token: string): Claims | undefined {
  return parse(token.split('.')[1] ?? '')
}

function parse(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
