/** Writes an answer to a client: encoded as it accepts, compressed when it is large, streamed as fast as it takes it. */

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { createGzip, gzipSync } from 'node:zlib'
import { type Format, negotiate } from '../negotiation/accept.ts'
import { encodeAnswer, encodeEvents } from '../negotiation/encode.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { type Event, WatchStream } from '../watch-cache/watch-stream.ts'

export type AnyResponse = ServerResponse | Http2ServerResponse

/** Smaller answers are not worth compressing (upstream's threshold). */
const gzipThreshold = 128 * 1024
/** Larger ones are not worth another copy. */
const joinedWithHead = 16 * 1024
const gzipOptions = { level: 1 }
/** Events that are written at once. */
const eventBatch = 256

/** What of a response is needed here; the two versions of HTTP differ in the rest. */
interface Out {
  writeHead(status: number, headers: Record<string, string | number | string[]>): unknown
  write(chunk: Buffer | string): boolean
  end(chunk?: Buffer | string, encoding?: 'latin1'): unknown
  once(event: 'drain' | 'close' | 'error', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
  readonly destroyed?: boolean
  readonly writableEnded: boolean
}

/** Counts what goes out, where somebody wants to know. */
function counted(out: Out, sizes: NonNullable<ApiRequest['answerSizes']>): Out {
  let bytes = 0
  const length = (chunk: Buffer | string) => (typeof chunk === 'string' ? Buffer.byteLength(chunk, 'latin1') : chunk.length)
  return {
    writeHead: (status, headers) => out.writeHead(status, headers),
    write(chunk) {
      bytes += length(chunk)
      return out.write(chunk)
    },
    end(chunk, encoding) {
      if (chunk !== undefined) bytes += length(chunk)
      sizes.observe(bytes)
      return out.end(chunk, encoding)
    },
    once: (event, listener) => out.once(event, listener),
    off: (event, listener) => out.off(event, listener),
    get destroyed() {
      return out.destroyed ?? false
    },
    get writableEnded() {
      return out.writableEnded
    },
  }
}

type Headers = Record<string, string | number | string[]>

export async function writeResponse(request: ApiRequest, response: ApiResponse, target: AnyResponse): Promise<void> {
  if (response.kind === 'hijacked') return
  const plain = target as unknown as Out
  const out = request.answerSizes ? counted(plain, request.answerSizes) : plain
  const headers: Headers = { ...response.headers }
  headers['cache-control'] ??= 'no-cache, private'
  if (response.warnings?.length) headers.warning = response.warnings.map((text) => `299 - "${quoted(text)}"`)
  switch (response.kind) {
    case 'object':
      return writeObject(request, response.status, headers, response.object, out)
    case 'events':
      return writeEvents(request, response.status, headers, response.events, out)
    case 'bytes':
      headers['content-type'] = response.contentType
      return writeBytes(request, response.status, headers, response.bytes, out)
  }
}

const quoted = (text: string) => text.replace(/[^\x20-\x7e]/g, ' ').replace(/[\\"]/g, '\\$&')

async function writeObject(request: ApiRequest, status: number, headers: Headers, object: unknown, out: Out): Promise<void> {
  const { contentType, pieces, length } = encodeAnswer(object, formatOf(request), isPretty(request))
  headers['content-type'] = contentType
  if (request.method === 'HEAD') {
    if (length !== undefined) headers['content-length'] = length
    out.writeHead(status, headers)
    out.end()
    return
  }
  if (length !== undefined && length < gzipThreshold) {
    headers['content-length'] = length
    out.writeHead(status, headers)
    const [first = Buffer.alloc(0), ...rest] = pieces
    endWith(rest.length === 0 ? first : Buffer.concat([first, ...rest]), out)
    return
  }
  await writePieces(request, status, headers, pieces, length, out)
}

/** A string of one byte a character goes out in one piece with the head (HTTP/1.1): one record and one write, not two. */
function endWith(bytes: Buffer, out: Out): void {
  if (bytes.length < joinedWithHead) out.end(bytes.toString('latin1'), 'latin1')
  else out.end(bytes)
}

async function writePieces(
  request: ApiRequest,
  status: number,
  headers: Headers,
  pieces: Iterable<Buffer>,
  length: number | undefined,
  out: Out,
): Promise<void> {
  const iterator = pieces[Symbol.iterator]()
  const first = iterator.next()
  const second = iterator.next()
  // One piece: its length is known, and below the threshold it goes as it is.
  if (second.done && first.value && first.value.length < gzipThreshold) {
    headers['content-length'] = first.value.length
    out.writeHead(status, headers)
    out.end(first.value)
    return
  }
  const all = (function* () {
    if (!first.done) yield first.value
    if (!second.done) yield second.value
    yield* { [Symbol.iterator]: () => iterator }
  })()
  if (acceptsGzip(request)) {
    headers['content-encoding'] = 'gzip'
    headers.vary = 'Accept-Encoding'
    if (second.done && first.value) {
      const zipped = gzipSync(first.value, gzipOptions)
      headers['content-length'] = zipped.length
      out.writeHead(status, headers)
      out.end(zipped)
      return
    }
    out.writeHead(status, headers)
    const gzip = createGzip(gzipOptions)
    gzip.on('data', (chunk: Buffer) => {
      if (out.write(chunk)) return
      gzip.pause()
      out.once('drain', () => gzip.resume())
    })
    out.once('close', () => gzip.destroy())
    const ended = once(gzip, 'close')
    gzip.on('end', () => out.end())
    for (const piece of all) if (!gzip.destroyed && !gzip.write(piece)) await Promise.race([once(gzip, 'drain'), ended])
    if (!gzip.destroyed) gzip.end()
    await ended
    return
  }
  if (length !== undefined) headers['content-length'] = length
  out.writeHead(status, headers)
  for (const piece of all) if (!(await push(out, piece))) return
  out.end()
}

/** False: the client has gone. */
async function push(out: Out, chunk: Buffer | string): Promise<boolean> {
  if (out.destroyed || out.writableEnded) return false
  if (out.write(chunk)) return true
  await new Promise<void>((resolve) => {
    const done = () => {
      out.off('drain', done)
      out.off('close', done)
      resolve()
    }
    out.once('drain', done)
    out.once('close', done)
  })
  return !out.destroyed
}

async function writeBytes(
  request: ApiRequest,
  status: number,
  headers: Headers,
  bytes: Uint8Array | string | AsyncIterable<Uint8Array>,
  out: Out,
): Promise<void> {
  if (typeof bytes === 'string' || bytes instanceof Uint8Array) {
    let whole = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (whole.length >= gzipThreshold && acceptsGzip(request) && headers['content-encoding'] === undefined) {
      headers['content-encoding'] = 'gzip'
      headers.vary = 'Accept-Encoding'
      whole = gzipSync(whole, gzipOptions)
    }
    headers['content-length'] = whole.length
    out.writeHead(status, headers)
    out.end(request.method === 'HEAD' ? undefined : whole)
    return
  }
  out.writeHead(status, headers)
  for await (const chunk of bytes) if (!(await push(out, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))) return
  out.end()
}

async function writeEvents(request: ApiRequest, status: number, headers: Headers, events: AsyncIterable<unknown>, out: Out): Promise<void> {
  headers['content-type'] = request.headers.accept?.includes('stream=watch') ? 'application/json;stream=watch' : 'application/json'
  out.writeHead(status, headers)
  ;(out as { flushHeaders?(): void }).flushHeaders?.()
  if (events instanceof WatchStream) return pump(events, out)
  for await (const event of events) if (!(await push(out, encodeEvents([event as Event])))) return
  out.end()
}

/** Takes what waits, as long as the client takes what is written; what is too much for it the stream's bound judges. */
function pump(stream: WatchStream, out: Out): Promise<void> {
  return new Promise((resolve) => {
    let scheduled = false
    let blocked = false
    const finish = () => {
      stream.end()
      resolve()
    }
    const run = () => {
      scheduled = false
      while (!blocked) {
        const events = stream.take(eventBatch)
        if (events.length === 0) break
        if (out.destroyed || out.writableEnded) return finish()
        if (!out.write(encodeEvents(events))) {
          blocked = true
          out.once('drain', () => {
            blocked = false
            run()
          })
        }
      }
      if (stream.ended && !blocked) {
        out.end()
        resolve()
      }
    }
    out.once('close', finish)
    stream.onReadable(() => {
      if (scheduled || blocked) return
      scheduled = true
      // Events of one batch of the store go out in one piece.
      setImmediate(run)
    })
  })
}

function formatOf({ headers }: ApiRequest): Format {
  const { accept } = headers
  if (!accept || accept.startsWith('application/json')) return 'json'
  try {
    return negotiate(accept).format
  } catch {
    // What is not acceptable has been refused where it matters; a Status must reach the client anyway.
    return 'json'
  }
}

function isPretty({ query, headers }: ApiRequest): boolean {
  const pretty = query.get('pretty')
  if (pretty !== null) return pretty !== 'false' && pretty !== '0'
  const agent = headers['user-agent']
  return agent !== undefined && /^(curl|Wget|Mozilla\/5\.0)/.test(agent)
}

const acceptsGzip = ({ headers }: ApiRequest) => /\bgzip\b/.test(headers['accept-encoding'] ?? '')
