/**
 * A text and its signature apart (JSON Web Signature with detached content, RFC 7515 appendix F), by a secret that both
 * sides know (HS256): who has the secret can tell that whoever published the text has it too.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const encode = (text: string) => Buffer.from(text).toString('base64url')
const code = (header: string, content: string, secret: string) =>
  createHmac('sha256', secret)
    .update(`${header}.${encode(content)}`)
    .digest('base64url')

/** `HEADER..SIGNATURE`; the header names the key. */
export function signDetached(content: string, keyId: string, secret: string): string {
  const header = encode(JSON.stringify({ alg: 'HS256', kid: keyId }))
  return `${header}..${code(header, content, secret)}`
}

/** The algorithm is ours and never the header's choice. */
export function verifiesDetached(signature: string, content: string, keyId: string, secret: string): boolean {
  const [header = '', middle, given = '', ...more] = signature.split('.')
  if (middle !== '' || more.length > 0) return false
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown; kid?: unknown }
    if (alg !== 'HS256' || kid !== keyId) return false
  } catch {
    // Not a header.
    return false
  }
  const expected = Buffer.from(code(header, content, secret))
  const bytes = Buffer.from(given)
  return bytes.length === expected.length && timingSafeEqual(bytes, expected)
}
