/** Requests that last as long as their client likes: counted from their answer until it has ended. */
import type { Family, GaugeSeries, MetricRegistry } from '../../machinery/metrics/registry.ts'
import type { ApiRequest, ApiResponse, RequestInfo } from '../request.ts'
import { WatchStream } from '../watch-cache/watch-stream.ts'
import { scopeOf, verbOf } from './request-labels.ts'

export class LongRunning {
  readonly #gauge: Family<GaugeSeries>

  constructor(registry: MetricRegistry) {
    this.#gauge = registry.gauge('apiserver_longrunning_requests', 'Requests that last until their client ends them.', [
      'verb',
      'group',
      'version',
      'resource',
      'subresource',
      'scope',
      'component',
    ])
  }

  /** The answer to send: the same, or one whose end is noticed. */
  begins(info: RequestInfo, request: ApiRequest, response: ApiResponse): ApiResponse {
    const series = this.#gauge.of(verbOf(info), info.group, info.version, info.resource, info.subresource, scopeOf(info), 'apiserver')
    const ends = () => series.add(-1)
    switch (response.kind) {
      case 'hijacked': {
        const socket = request.upgrade?.socket
        if (!socket || socket.destroyed) return response
        series.add()
        socket.once('close', ends)
        return response
      }
      case 'events':
        series.add()
        if (response.events instanceof WatchStream) {
          response.events.onEnd(ends)
          return response
        }
        return { ...response, events: noticed(response.events, ends) }
      case 'bytes':
        if (typeof response.bytes === 'string' || response.bytes instanceof Uint8Array) return response
        series.add()
        return { ...response, bytes: noticed(response.bytes, ends) }
      case 'object':
        return response
    }
  }
}

async function* noticed<T>(items: AsyncIterable<T>, ended: () => void): AsyncGenerator<T> {
  try {
    yield* items
  } finally {
    ended()
  }
}
