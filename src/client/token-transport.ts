/** A transport whose requests show a token that changes with time. */
import type { Transport } from './transport.ts'

export interface TokenSource {
  /** One that is good now, however long that takes. */
  current(signal?: AbortSignal): Promise<string>
  /** The server does not accept this one (any more). */
  refused(token: string): void
}

export function tokenTransport(transport: Transport, source: TokenSource): Transport {
  return {
    async request(request) {
      const send = async () => {
        const token = await source.current(request.signal)
        const answer = await transport.request({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } })
        if (answer.status === 401) source.refused(token)
        return answer
      }
      const answer = await send()
      // A token may end before its time, with what it is bound to: nothing was done, and another may be there.
      return answer.status === 401 ? send() : answer
    },
    close: () => transport.close(),
  }
}
