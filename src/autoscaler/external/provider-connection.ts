/** One provider on the other side of a connection, call by call. */
import { Client, credentials, status } from '@grpc/grpc-js'
import type { Clock } from '../../machinery/clock.ts'
import { type Call, type CallName, calls, pathOf } from './protocol.ts'

export interface ProviderCredentials {
  ca: Buffer
  key: Buffer
  certificate: Buffer
}

type Request<N extends CallName> = (typeof calls)[N] extends Call<infer Q, infer _> ? Partial<Q> : never
type Response<N extends CallName> = (typeof calls)[N] extends Call<infer _, infer A> ? A : never

/** As upstream's client waits. */
const usualTimeoutMs = 5_000
/** What every look at the cluster asks. One of these that was not answered in time is not waited for again until it is answered. */
const looks: ReadonlySet<CallName> = new Set([
  'Refresh',
  'NodeGroups',
  'NodeGroupTargetSize',
  'NodeGroupNodes',
  'NodeGroupTemplateNodeInfo',
  'NodeGroupGetOptions',
])
/** A provider that was away is called again within so long. */
const reconnectMs = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 5_000 }

export class ProviderConnection {
  readonly address: string
  readonly #client: Client
  readonly #clock: Clock
  readonly #timeoutMs: number
  /** By call and what it was about, why nothing can be said of it now. */
  readonly #unanswered = new Map<string, LateError>()
  readonly #running = new Set<{ cancel(): void }>()
  #closed = false

  /** Throws where the credentials are none. */
  constructor(
    address: string,
    clock: Clock,
    { tls, timeoutMs = usualTimeoutMs }: { tls?: ProviderCredentials | undefined; timeoutMs?: number | undefined } = {},
  ) {
    this.address = address
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#client = new Client(address, tls ? credentials.createSsl(tls.ca, tls.key, tls.certificate) : credentials.createInsecure(), reconnectMs)
  }

  /** Rejects in a sentence; at once, where a look was not answered the last time: other pools do not wait for this provider. */
  async call<N extends CallName>(name: N, request: Request<N>): Promise<Response<N>> {
    if (!looks.has(name)) return this.#send(name, request)
    const key = `${name} ${'id' in request ? request.id : ''}`
    const late = this.#unanswered.get(key)
    if (late) throw late
    try {
      return await this.#send(name, request)
    } catch (error) {
      if (error instanceof LateError && !this.#unanswered.has(key)) {
        this.#unanswered.set(key, error)
        void this.#untilAnswered(key, name, request)
      }
      throw error
    }
  }

  /** Asks on; any answer will do. */
  async #untilAnswered<N extends CallName>(key: string, name: N, request: Request<N>): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#send(name, request)
      } catch (error) {
        if (error instanceof LateError) continue
      }
      break
    }
    this.#unanswered.delete(key)
  }

  #send<N extends CallName>(name: N, request: Request<N>): Promise<Response<N>> {
    const timeoutMs = this.#timeoutMs
    const codec = calls[name] as unknown as Call<object, object>
    return new Promise((resolve, reject) => {
      let late = false
      const running = this.#client.makeUnaryRequest(
        pathOf(name),
        (value: object) => Buffer.from(codec.request.encode(value)),
        (bytes: Buffer) => codec.response.decode(bytes),
        request,
        (error, answer) => {
          timer.cancel()
          this.#running.delete(running)
          if (late) reject(new LateError(`the provider at ${this.address} did not answer ${name} within ${timeoutMs / 1000}s`))
          else if (error) reject(new ProviderError(`the provider at ${this.address} ${refusalOf(error.code)} ${name}: ${causeOf(error.details)}`, error.code))
          else resolve(answer as Response<N>)
        },
      )
      this.#running.add(running)
      const timer = this.#clock.after(timeoutMs, () => {
        late = true
        running.cancel()
      })
    })
  }

  /** The same, with undefined where the provider does not know the call. */
  async ask<N extends CallName>(name: N, request: Request<N>): Promise<Response<N> | undefined> {
    try {
      return await this.call(name, request)
    } catch (error) {
      if (error instanceof ProviderError && error.code === status.UNIMPLEMENTED) return undefined
      throw error
    }
  }

  close(): void {
    this.#closed = true
    for (const running of this.#running) running.cancel()
    this.#client.close()
  }
}

const refusalOf = (code: status) => (code === status.UNAVAILABLE ? 'could not be reached for' : 'refused')

/** Without what differs from one try to the next. */
const causeOf = (details: string) => /Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*\))?\. Resolution note:/.exec(details)?.[1] ?? details

class LateError extends Error {}

export class ProviderError extends Error {
  readonly code: number

  constructor(message: string, code: number) {
    super(message)
    this.code = code
  }
}
