/** An API server over a memory store that lets everybody do everything: for tests of the core alone. */
import type { Clock } from '../../machinery/clock.ts'
import type { AnyObject, Status } from '../../machinery/object.ts'
import { realClock } from '../../machinery/real-clock.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import type { ServerPartFactory, WriteRecord } from '../contracts.ts'
import type { ApiResponse, UserInfo } from '../request.ts'
import { type ApiServer, createApiServer } from '../server.ts'

const tester: UserInfo = { name: 'tester', groups: ['system:authenticated'] }

export const allowEverything: ServerPartFactory = () => ({
  name: 'everything is allowed',
  authenticators: [{ name: 'tester', authenticate: () => tester }],
  authorizers: [{ name: 'always', authorize: () => ({ decision: 'allowed', reason: '' }) }],
})

export interface CallOptions {
  headers?: Record<string, string>
  contentType?: string
  signal?: AbortSignal
}

export interface Answer {
  status: number
  object: AnyObject & Status & { items: AnyObject[]; [field: string]: unknown }
  warnings: string[]
  response: ApiResponse
}

export interface TestServer {
  server: ApiServer
  store: MemoryStore
  writes: WriteRecord[]
  /** `path` with its query. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer>
  /** The events of a watch, one by one. */
  watch(path: string, options?: CallOptions): Promise<AsyncIterator<{ type: string; object: AnyObject & Status }>>
  stop(): Promise<void>
}

const never = new AbortController().signal

export interface TestServerOptions {
  clock?: Clock
  /** Asked before everything is allowed. */
  first?: ServerPartFactory[]
  parts?: ServerPartFactory[]
  store?: MemoryStore
  /** Of the built-in kinds; absent: one of the server's own. */
  schema?: Schema
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const store = options.store ?? new MemoryStore()
  const writes: WriteRecord[] = []
  const server = createApiServer({
    store,
    clock: options.clock ?? realClock,
    ...(options.schema ? { schema: options.schema } : {}),
    parts: [...(options.first ?? []), allowEverything, ...(options.parts ?? [])],
    onWrite: (record) => void writes.push(record),
  })
  await server.start()

  const send = (method: string, path: string, body: unknown, { headers = {}, contentType = 'application/json', signal = never }: CallOptions) => {
    const [plain = '', query = ''] = path.split('?')
    return server.handle({
      method,
      path: plain,
      query: new URLSearchParams(query),
      headers: { 'user-agent': 'test/1.0', ...(body === undefined ? {} : { 'content-type': contentType }), ...headers },
      ...(typeof body === 'string' ? { readBody: async () => new TextEncoder().encode(body) } : body === undefined ? {} : { object: body }),
      remoteAddress: '127.0.0.1',
      signal,
    })
  }
  return {
    server,
    store,
    writes,
    async call(method, path, body, callOptions = {}) {
      const response = await send(method, path, body, callOptions)
      if (response.kind === 'hijacked') throw new Error('the connection was taken over')
      const object = response.kind === 'object' ? response.object : response.kind === 'bytes' ? { text: String(response.bytes) } : {}
      return { status: response.status, object: object as Answer['object'], warnings: response.warnings ?? [], response }
    },
    async watch(path, callOptions = {}) {
      const response = await send('GET', path, undefined, callOptions)
      if (response.kind !== 'events') throw new Error(`not a watch: ${JSON.stringify(response)}`)
      return response.events[Symbol.asyncIterator]() as AsyncIterator<{ type: string; object: AnyObject & Status }>
    },
    async stop() {
      await server.stop()
      await store.close()
    },
  }
}
