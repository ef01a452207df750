/** A request as it comes over HTTP/1.1 or HTTP/2, as the server sees it. */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { requestTooLarge } from '../../machinery/errors.ts'
import type { ApiRequest, Upgrade } from '../request.ts'
import type { ClientCertificate } from './client-certificate.ts'

/** Of a body, as upstream. */
export const maxBodyBytes = 3 * 1024 * 1024

export type AnyRequest = IncomingMessage | Http2ServerRequest

export class HttpApiRequest implements ApiRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Record<string, string>
  readonly remoteAddress: string
  readonly certificate?: ClientCertificate
  readonly upgrade?: Upgrade
  answerSizes: ApiRequest['answerSizes']
  readonly #incoming: AnyRequest
  readonly #closed: (callback: () => void) => void
  #signal: AbortSignal | undefined
  #body: Promise<Uint8Array> | undefined

  /** `closed` calls back when the client has gone before it had its whole answer. */
  constructor(incoming: AnyRequest, certificate: ClientCertificate | undefined, closed: (callback: () => void) => void, upgrade?: Upgrade) {
    const url = incoming.url ?? '/'
    const question = url.indexOf('?')
    this.method = incoming.method ?? 'GET'
    this.path = question < 0 ? url : url.slice(0, question)
    this.query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1))
    this.headers = incoming.headers as Record<string, string>
    this.remoteAddress = incoming.socket?.remoteAddress ?? ''
    if (certificate) this.certificate = certificate
    if (upgrade) this.upgrade = upgrade
    this.#incoming = incoming
    this.#closed = closed
  }

  /** Made when somebody asks: most requests end before anyone could wait for their end. */
  get signal(): AbortSignal {
    if (!this.#signal) {
      const controller = new AbortController()
      this.#closed(() => controller.abort(new Error('the client went away')))
      this.#signal = controller.signal
    }
    return this.#signal
  }

  headerValues(name: string): readonly string[] {
    const { rawHeaders } = this.#incoming
    const values: string[] = []
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '')
    return values
  }

  readBody(): Promise<Uint8Array> {
    this.#body ??= readAll(this.#incoming)
    return this.#body
  }
}

function readAll(incoming: AnyRequest): Promise<Uint8Array> {
  const length = Number(incoming.headers['content-length'] ?? 0)
  if (length > maxBodyBytes) {
    incoming.resume()
    return Promise.reject(tooLarge())
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBodyBytes) reject(tooLarge())
      else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    incoming.on('error', reject)
    incoming.on('aborted', () => reject(new Error('the client went away before its request was whole')))
  })
}

const tooLarge = () => requestTooLarge(`Request entity too large: limit is ${maxBodyBytes}`)
