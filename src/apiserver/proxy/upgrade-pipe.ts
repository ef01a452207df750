/** Joins an upgraded connection with a backend's, octet by octet: what they speak is theirs. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiResponse, Upgrade } from '../request.ts'
import { type Backend, dial, dialError, passedHeaders, text } from './backend.ts'

/** Headers by which both ends agree on what they speak. */
const upgradeHeaders = [
  'connection',
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'origin',
]

function head(message: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${message.statusCode} ${message.statusMessage}`]
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) lines.push(`${message.rawHeaders[at]}: ${message.rawHeaders[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function join(a: Duplex, b: Duplex): void {
  // When one side breaks, the other must not wait for ever.
  a.on('error', () => b.destroy())
  b.on('error', () => a.destroy())
  a.on('close', () => (a.readableEnded ? b.end() : b.destroy()))
  b.on('close', () => (b.readableEnded ? a.end() : a.destroy()))
  a.pipe(b)
  b.pipe(a)
}

/** Resolves once the connection is joined, or refused with the backend's own words; rejects when there is no backend. */
export async function pipeUpgrade(
  backend: Backend,
  { request, socket, head: first }: Upgrade,
  signal: AbortSignal,
  more: Record<string, string | string[]> = {},
): Promise<ApiResponse> {
  const agreed: Record<string, string> = {}
  for (const name of upgradeHeaders) {
    const value = request.headers[name]
    if (value !== undefined) agreed[name] = Array.isArray(value) ? value.join(', ') : value
  }
  // A token among the WebSocket protocols was for this server.
  if (agreed['sec-websocket-protocol'])
    agreed['sec-websocket-protocol'] = agreed['sec-websocket-protocol']
      .split(',')
      .filter((one) => !one.trim().startsWith('base64url.bearer.'))
      .join(',')
  const others = passedHeaders(
    Object.fromEntries(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : []))),
  )
  const method = request.method ?? 'GET'
  return await new Promise((resolve, reject) => {
    const outgoing = dial(backend, { method, headers: { ...others, ...agreed, ...more }, signal })
    outgoing.on('upgrade', (answer, target, rest) => {
      socket.write(head(answer))
      if (rest.length > 0) socket.write(rest)
      if (first.length > 0) target.write(first)
      join(socket, target)
      resolve({ kind: 'hijacked' })
    })
    outgoing.on('response', (answer) => {
      text(answer).then(
        (body) => resolve({ kind: 'bytes', status: answer.statusCode ?? 502, contentType: answer.headers['content-type'] ?? 'text/plain', bytes: body }),
        reject,
      )
    })
    outgoing.on('error', (error) => reject(dialError(backend, method, error)))
    outgoing.end()
  })
}
