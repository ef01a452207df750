/** Several streams over one WebSocket: the first octet of each message says which it belongs to. */
import { Readable, Writable } from 'node:stream'
import type { WebSocket } from 'ws'

/** In the fifth version of the protocol: the octet after it names the channel that has ended. */
const closeChannel = 255

export class WebSocketChannels {
  readonly #socket: WebSocket
  readonly #base64: boolean
  readonly #readers = new Map<number, Readable>()
  readonly #gone = new AbortController()

  constructor(socket: WebSocket, base64: boolean) {
    this.#socket = socket
    this.#base64 = base64
    socket.on('message', (data, isBinary) => this.#take(data as Buffer, isBinary))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#gone.abort(new Error('the client went away'))
      for (const reader of this.#readers.values()) if (!reader.readableEnded) reader.push(null)
    })
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  #take(message: Buffer, isBinary: boolean): void {
    const first = message[0]
    if (first === undefined) return
    if (isBinary && first === closeChannel) {
      this.#readers.get(message[1] ?? -1)?.push(null)
      return
    }
    // In the base64 form the channel is a digit.
    const channel = this.#base64 ? first - 0x30 : first
    const reader = this.#readers.get(channel)
    const data = this.#base64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1)
    if (reader && !reader.readableEnded && data.length > 0 && !reader.push(data)) this.#socket.pause()
  }

  reader(channel: number): Readable {
    const reader = new Readable({ read: () => this.#socket.resume() })
    this.#readers.set(channel, reader)
    return reader
  }

  writer(channel: number): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#send(channel, chunk, done),
      // What reads a stream that ended because the client went away learns it by the signal.
      emitClose: true,
    }).on('error', () => {})
  }

  #send(channel: number, data: Buffer, done: (error?: Error | null) => void): void {
    if (this.#base64) this.#socket.send(`${channel}${data.toString('base64')}`, (error) => done(error))
    else this.#socket.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true }, (error) => done(error))
  }

  /** Tells the client that the session stands. */
  greet(channel: number): void {
    this.#send(channel, Buffer.alloc(0), () => {})
  }

  /** Ends the session; what was written before is sent. */
  async close(): Promise<void> {
    this.#socket.resume()
    if (this.#socket.readyState === this.#socket.CLOSED) return
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.close(1000)
    })
  }
}
