/**
 * The credential of a node's Service proxy, and of what finds the ways to other nodes: a token of the proxies' service
 * account, asked for with the node's own credential and bound to its Node, so that it counts for nothing once that is
 * gone. It is in memory alone; who starts again asks again.
 */
import { nodeProxyAccount, nodeProxyTokenSeconds } from '../../apis/core/node-proxy-account.ts'
import type { Client } from '../../client/client.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { ServiceAccount } from '../../client/resources.ts'
import { type TokenSource, tokenTransport } from '../../client/token-transport.ts'
import type { Transport } from '../../client/transport.ts'
import type { Clock } from '../../machinery/clock.ts'
import { ApiError } from '../../machinery/errors.ts'
import type { AuthenticationV1TokenRequest } from '../../machinery/schema/generated/types.ts'

export interface ProxyTokenOptions {
  /** As the node itself. */
  client: Pick<Client, 'subresource'>
  nodeName: string
  clock: Clock
}

interface Token {
  text: string
  /** By the clock that only goes forward: the host's may differ from the server's. */
  renewAt: number
  end: number
}

/** The part of a token's life after which another is asked for, as kubelets do for pods. */
const renewedAfter = 0.8
const answerMs = 30_000
/** Between two looks whether the Node is registered. */
const look = { firstMs: 50, longestMs: 1000 }

export class ProxyToken implements TokenSource {
  readonly #options: ProxyTokenOptions
  #token: Token | undefined
  #asking: Promise<Token> | undefined

  constructor(options: ProxyTokenOptions) {
    this.#options = options
  }

  /** Waits until the Node is registered. */
  async current(signal?: AbortSignal): Promise<string> {
    const { clock } = this.#options
    for (let wait = look.firstMs; ; wait = Math.min(wait * 2, look.longestMs)) {
      const known = this.#token
      if (known && clock.monotonic() < known.renewAt) return known.text
      try {
        this.#asking ??= this.#ask().finally(() => {
          this.#asking = undefined
        })
        return (await this.#asking).text
      } catch (error) {
        if (known && known === this.#token && clock.monotonic() < known.end) return known.text
        if (!isMissingNode(error)) throw error
      }
      await clock.sleep(wait, signal)
    }
  }

  refused(token: string): void {
    if (this.#token?.text === token) this.#token = undefined
  }

  async #ask(): Promise<Token> {
    const { client, nodeName, clock } = this.#options
    const timeout = new AbortController()
    const limit = clock.after(answerMs, () => timeout.abort(new Error('the API server does not answer')))
    const asked = clock.monotonic()
    const body: AuthenticationV1TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [], expirationSeconds: nodeProxyTokenSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: nodeName } },
    }
    try {
      const { spec, status } = await client.subresource<AuthenticationV1TokenRequest>(ServiceAccount, nodeProxyAccount, 'token', 'create', body, {
        signal: timeout.signal,
      })
      if (!status?.token) throw new Error('the API server answered without a token')
      const lifeMs = (spec?.expirationSeconds ?? nodeProxyTokenSeconds) * 1000
      this.#token = { text: status.token, renewAt: asked + lifeMs * renewedAfter, end: asked + lifeMs }
      return this.#token
    } finally {
      limit.cancel()
    }
  }
}

const isMissingNode = (error: unknown) => error instanceof ApiError && error.code === 404 && error.status.details?.kind === 'nodes'

/** Requests as the Service proxy of the node. */
export const proxyTransport = (server: string, ca: string, options: ProxyTokenOptions): Transport =>
  tokenTransport(createHttpTransport({ server, ca, authorization: () => undefined }), new ProxyToken(options))
