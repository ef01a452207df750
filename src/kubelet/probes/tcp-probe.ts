import { connect } from 'node:net'
import type { Clock } from '../../machinery/clock.ts'
import { failure, type ProbeResult, success } from './probe.ts'

/** Success is a connection that opens. */
export function probeTcp(clock: Clock, host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (result: ProbeResult) => {
      timer.cancel()
      socket.destroy()
      resolve(result)
    }
    const timer = clock.after(timeoutMs, () => end(failure(`dial tcp ${joined(host, port)}: i/o timeout`)))
    socket.on('connect', () => end(success()))
    socket.on('error', (error) => end(failure(connectError(error, host, port))))
  })
}

const joined = (host: string, port: number) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

const words: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
}

/** In the words that clients and users know from upstream. */
export function connectError(error: unknown, host: string, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNRESET') return `read tcp ${joined(host, port)}: read: connection reset by peer`
  const known = code === undefined ? undefined : words[code]
  return known ? `dial tcp ${joined(host, port)}: ${known}` : message
}
