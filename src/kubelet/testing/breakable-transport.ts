import { ConnectionError } from '../../client/connection-error.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../client/transport.ts'

/** A transport that can be cut: what is under way breaks off, and nothing gets through until it is mended. */
export class BreakableTransport implements Transport {
  readonly #inner: Transport
  readonly #open = new Set<AbortController>()
  #isCut = false

  constructor(inner: Transport) {
    this.#inner = inner
  }

  cut(): void {
    this.#isCut = true
    for (const open of this.#open) open.abort(new ConnectionError('socket hang up', 'ECONNRESET'))
    this.#open.clear()
  }

  mend(): void {
    this.#isCut = false
  }

  get isCut(): boolean {
    return this.#isCut
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    if (this.#isCut) throw new ConnectionError('connect ECONNREFUSED', 'ECONNREFUSED')
    const open = new AbortController()
    this.#open.add(open)
    const signal = request.signal ? AbortSignal.any([request.signal, open.signal]) : open.signal
    return this.#inner.request({ ...request, signal })
  }

  close(): void {
    this.#inner.close()
  }
}
