/** A transport that a test can cut, slow down or answer itself, in front of a real one. */
import { ConnectionError } from '../../client/connection-error.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../client/transport.ts'

export class FaultyTransport implements Transport {
  readonly #inner: Transport
  readonly #watches = new Set<AbortController>()
  /** May throw, or answer in place of the server. */
  intercept: ((request: TransportRequest) => TransportResponse | Promise<TransportResponse> | undefined) | undefined

  constructor(inner: Transport) {
    this.#inner = inner
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const answer = this.intercept?.(request)
    if (answer) return answer
    if (!request.query?.watch) return this.#inner.request(request)
    const broken = new AbortController()
    this.#watches.add(broken)
    const signal = request.signal ? AbortSignal.any([request.signal, broken.signal]) : broken.signal
    const response = await this.#inner.request({ ...request, signal })
    return response.events ? { ...response, events: breakable(response.events, broken.signal) } : response
  }

  breakWatches(): void {
    for (const watch of this.#watches) watch.abort()
    this.#watches.clear()
  }

  close(): void {
    this.#inner.close()
  }
}

async function* breakable(events: AsyncIterable<unknown>, broken: AbortSignal): AsyncGenerator<unknown> {
  yield* events
  if (broken.aborted) throw new ConnectionError('socket hang up', 'ECONNRESET')
}
