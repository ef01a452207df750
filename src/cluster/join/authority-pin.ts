/** The pin of an authority, `sha256:HEX` of its public key: what a joining node is told, to know its cluster by. */
import { createHash, X509Certificate } from 'node:crypto'

export function pinOf(authority: string): string {
  const key = new X509Certificate(authority).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256:${createHash('sha256').update(key).digest('hex')}`
}

export const isPin = (text: string): boolean => /^sha256:[0-9a-f]{64}$/i.test(text)

/** Whether every certificate of a PEM bundle has this pin: one beside it would be trusted as much. */
export function matchesPin(authority: string, pin: string): boolean {
  const certificates = authority.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return certificates.length > 0 && certificates.every((one) => pinOf(one) === pin.toLowerCase())
}
