/** Answers to an upgrade, written on the bare connection. */
import type { Upgrade } from './session.ts'

const reasons: Record<number, string> = { 101: 'Switching Protocols', 400: 'Bad Request', 403: 'Forbidden', 500: 'Internal Server Error' }

function head(status: number, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\n${lines.join('')}\r\n`
}

export function switchProtocols({ socket }: Upgrade, headers: Record<string, string>): void {
  socket.write(head(101, { Connection: 'Upgrade', ...headers }))
}

export function refuseUpgrade({ socket }: Upgrade, status: number, message: string, headers: Record<string, string> = {}): void {
  const body = Buffer.from(message)
  socket.end(head(status, { 'Content-Type': 'text/plain', 'Content-Length': String(body.length), Connection: 'close', ...headers }) + message)
}

/** Values of a header that may stand several times, joined or not. */
export function offered({ request }: Upgrade, name: string): string[] {
  const value = request.headers[name]
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return values.flatMap((one) => one.split(',')).map((one) => one.trim())
}

export const isWebSocket = (upgrade: Upgrade) => offered(upgrade, 'upgrade').some((one) => one.toLowerCase() === 'websocket')
export const isSpdy = (upgrade: Upgrade) => offered(upgrade, 'upgrade').some((one) => one.toUpperCase() === 'SPDY/3.1')
