/** Who a client is by its certificate, read once for each connection. */
import type { TLSSocket } from 'node:tls'
import type { ApiRequest } from '../request.ts'

export type ClientCertificate = NonNullable<ApiRequest['certificate']>

/** `invalid`: a certificate was shown, and no authority that we know has signed it. */
export function clientCertificate(socket: Pick<TLSSocket, 'getPeerCertificate' | 'authorized'>): ClientCertificate | 'invalid' | undefined {
  const peer = socket.getPeerCertificate()
  if (!peer?.subject) return undefined
  if (!socket.authorized) return 'invalid'
  const { CN, O } = peer.subject as { CN?: string | string[]; O?: string | string[] }
  return {
    commonName: (Array.isArray(CN) ? CN.at(-1) : CN) ?? '',
    organizations: O === undefined ? [] : Array.isArray(O) ? O : [O],
    fingerprint: peer.fingerprint256 ?? '',
    expires: Date.parse(peer.valid_to),
  }
}
