/**
 * The server's side of a SPDY/3.1 connection as kubectl speaks it: the client opens streams, each is answered at
 * once and is a Duplex. There is no flow control by window, as there is none in the client: a stream whose reader is
 * slow holds up the connection.
 */
import { Duplex } from 'node:stream'
import { controlFrame, dataHeader, type Frame, FrameReader, finFlag, kinds } from './frame.ts'
import { emptyBlock, HeaderReader } from './header-block.ts'

export class SpdyStream extends Duplex {
  readonly id: number
  /** Lower-case names. */
  readonly headers: Record<string, string>
  readonly #connection: SpdyConnection

  constructor(connection: SpdyConnection, id: number, headers: Record<string, string>) {
    super({ allowHalfOpen: true, emitClose: true })
    this.#connection = connection
    this.id = id
    this.headers = headers
    // A stream that nobody listens to yet may be reset; its users see it end.
    this.on('error', () => {})
  }

  override _read(): void {
    this.#connection.resume(this.id)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.send(this.id, chunk, false, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#connection.send(this.id, Buffer.alloc(0), true, done)
  }
}

export class SpdyConnection {
  readonly #socket: Duplex
  readonly #onStream: (stream: SpdyStream) => void
  readonly #streams = new Map<number, SpdyStream>()
  readonly #frames = new FrameReader()
  readonly #headers = new HeaderReader()
  readonly #closed = Promise.withResolvers<void>()
  #replied = false
  #lastStream = 0
  /** The stream whose reader holds up the connection. */
  #waiting: { id: number; go: () => void } | undefined

  constructor(socket: Duplex, head: Buffer, onStream: (stream: SpdyStream) => void) {
    this.#socket = socket
    this.#onStream = onStream
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
    void this.#read(head)
  }

  /** Resolves when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  async #read(head: Buffer): Promise<void> {
    try {
      if (head.length > 0) await this.#take(head)
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) await this.#take(chunk as Buffer)
    } catch {
      // Broken off or not SPDY: either way nothing more can be said on it.
      this.#socket.destroy()
    } finally {
      for (const stream of this.#streams.values()) if (!stream.readableEnded) stream.push(null)
    }
  }

  async #take(chunk: Buffer): Promise<void> {
    for (const frame of this.#frames.read(chunk)) await this.#handle(frame)
  }

  async #handle(frame: Frame): Promise<void> {
    if (frame.type === 'data') return await this.#data(frame)
    const { kind, flags, data } = frame
    if (kind === kinds.synStream) await this.#open(data, flags)
    else if (kind === kinds.rstStream) this.#streams.get(data.readUInt32BE(0) & 0x7fffffff)?.destroy()
    // Odd numbers are the client's own pings; an answer to none of ours is not answered.
    else if (kind === kinds.ping && data.readUInt32BE(0) % 2 === 1) this.#socket.write(controlFrame(kinds.ping, 0, [data.readUInt32BE(0)]))
  }

  async #open(data: Buffer, flags: number): Promise<void> {
    const id = data.readUInt32BE(0) & 0x7fffffff
    const headers = await this.#headers.read(data.subarray(10))
    const stream = new SpdyStream(this, id, headers)
    this.#streams.set(id, stream)
    this.#lastStream = id
    stream.on('close', () => {
      this.#streams.delete(id)
      this.resume(id)
    })
    this.#socket.write(controlFrame(kinds.synReply, 0, [id], emptyBlock(!this.#replied)))
    this.#replied = true
    this.#onStream(stream)
    if (flags & finFlag) stream.push(null)
  }

  async #data({ stream: id, fin, data }: Extract<Frame, { type: 'data' }>): Promise<void> {
    const stream = this.#streams.get(id)
    // Its reader went away: what still comes is let go.
    if (!stream || stream.destroyed || stream.readableEnded) return
    const more = data.length === 0 || stream.push(data)
    if (fin) stream.push(null)
    else if (!more)
      await new Promise<void>((go) => {
        this.#waiting = { id, go }
      })
  }

  /** A stream wants more to read, or nothing any more. */
  resume(id: number): void {
    if (this.#waiting?.id !== id) return
    const { go } = this.#waiting
    this.#waiting = undefined
    go()
  }

  send(id: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return done(new Error('the connection is closed'))
    this.#socket.cork()
    this.#socket.write(dataHeader(id, data.length, fin), data.length === 0 ? (error) => done(error) : undefined)
    if (data.length > 0) this.#socket.write(data, (error) => done(error))
    this.#socket.uncork()
  }

  /** Ends all streams once what was written to them is sent, says good-bye, and lets what still comes run out. */
  async close(): Promise<void> {
    const streams = [...this.#streams.values()]
    await Promise.all(
      streams.map(async (stream) => {
        stream.resume()
        if (!stream.writableEnded && !stream.destroyed) await new Promise<void>((resolve) => stream.end(() => resolve()).once('close', resolve))
      }),
    )
    if (!this.#socket.destroyed && !this.#socket.writableEnded) {
      this.#socket.write(controlFrame(kinds.goAway, 0, [this.#lastStream, 0]))
      this.#socket.end()
    }
  }

  #end(): void {
    this.#headers.close()
    this.#waiting?.go()
    for (const stream of this.#streams.values()) stream.destroy()
    this.#closed.resolve()
  }
}
