/** The answer to an upgrade that does not come about, written by hand on its connection. */
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from '../../machinery/node-http.ts'
import { encodeAnswer } from '../negotiation/encode.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'

export async function writeRefusal(_request: ApiRequest, response: Exclude<ApiResponse, { kind: 'hijacked' }>, socket: Duplex): Promise<void> {
  const [contentType, body] = await bodyOf(response)
  const lines = [
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...Object.entries(response.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
}

async function bodyOf(response: Exclude<ApiResponse, { kind: 'hijacked' }>): Promise<[string, Buffer]> {
  if (response.kind === 'object') return ['application/json', Buffer.concat([...encodeAnswer(response.object, 'json', false).pieces])]
  if (response.kind === 'events') return ['application/json', Buffer.alloc(0)]
  const { bytes, contentType } = response
  if (typeof bytes === 'string') return [contentType, Buffer.from(bytes)]
  if (bytes instanceof Uint8Array) return [contentType, Buffer.from(bytes)]
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return [contentType, Buffer.concat(chunks)]
}
