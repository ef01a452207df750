import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import type { Way } from './responder.ts'

export interface DnsAddress {
  address: string
  /** 0: any free one, the same for UDP and TCP. */
  port: number
}

type Respond = (query: Buffer, way: Way) => Buffer | undefined | Promise<Buffer | undefined>

const idleMs = 10_000
const mostConnections = 500

/** One address on which names are asked for, over UDP and TCP. */
export class DnsSockets {
  readonly #respond: Respond
  readonly #onError: (error: unknown) => void
  readonly #connections = new Set<Socket>()
  #udp: UdpSocket | undefined
  #tcp: Server | undefined

  constructor(respond: Respond, onError: (error: unknown) => void) {
    this.#respond = respond
    this.#onError = onError
  }

  async listen({ address, port }: DnsAddress): Promise<number> {
    const tcp = createServer((socket) => this.#converse(socket))
    this.#tcp = tcp
    tcp.maxConnections = mostConnections
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(port, address, resolve)
    })
    tcp.on('error', this.#onError)
    const bound = (tcp.address() as AddressInfo).port
    const udp = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 * 1024 * 1024 })
    this.#udp = udp
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject)
      udp.bind(bound, address, resolve)
    })
    udp.on('error', this.#onError)
    udp.on('message', (query, from) => {
      this.#answer(query, 'udp', (answer) => udp.send(answer, from.port, from.address))
    })
    return bound
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    await Promise.all([
      new Promise<void>((resolve) => (this.#udp ? this.#udp.close(() => resolve()) : resolve())),
      new Promise<void>((resolve) => (this.#tcp ? this.#tcp.close(() => resolve()) : resolve())),
    ])
  }

  #answer(query: Buffer, way: Way, send: (answer: Buffer) => void): void {
    try {
      const answer = this.#respond(query, way)
      if (answer instanceof Promise) answer.then((message) => message && send(message)).catch(this.#onError)
      else if (answer) send(answer)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Over TCP each message has its length in front; several may come at once. */
  #converse(socket: Socket): void {
    this.#connections.add(socket)
    let waiting: Buffer = Buffer.alloc(0)
    socket.setTimeout(idleMs, () => socket.destroy())
    socket.on('close', () => this.#connections.delete(socket))
    // A client that goes away in the middle is no concern of ours.
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const end = 2 + waiting.readUInt16BE(0)
        this.#answer(waiting.subarray(2, end), 'tcp', (answer) => {
          const length = Buffer.alloc(2)
          length.writeUInt16BE(answer.length)
          if (!socket.destroyed) socket.write(Buffer.concat([length, answer]))
        })
        waiting = waiting.subarray(end)
      }
    })
  }
}
