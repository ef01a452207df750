/** Reads `/metrics/resource` of a node's kubelet, at the address and port that its Node object tells. */
import { Agent, request } from 'node:https'
import type { Clock } from '../machinery/clock.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { type NodeSamples, parseSamples } from './resource-samples.ts'

export interface KubeletCredentials {
  /** PEM of who signs the kubelets' certificates; absent: an authority that the system trusts. */
  ca?: string
  insecureSkipVerify?: boolean
  /** PEM; with {@link key}, or a token in their place. */
  certificate?: string
  key?: string
  token?(): string | undefined
}

const timeoutMs = 10_000
const addressTypes = ['InternalIP', 'ExternalIP', 'Hostname']
const usualPort = 10_250

export class KubeletScraper {
  readonly #credentials: KubeletCredentials
  readonly #clock: Clock
  readonly #agent: Agent

  constructor(credentials: KubeletCredentials, clock: Clock) {
    const { ca, certificate: cert, key, insecureSkipVerify } = credentials
    this.#credentials = credentials
    this.#clock = clock
    this.#agent = new Agent({
      keepAlive: true,
      ...(ca ? { ca } : {}),
      ...(cert ? { cert, key } : {}),
      ...(insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    })
  }

  async scrape(node: V1Node): Promise<NodeSamples> {
    const late = new AbortController()
    const timer = this.#clock.after(timeoutMs, () => late.abort(new Error(`no answer within ${timeoutMs / 1000} s`)))
    try {
      return parseSamples(await this.#read(node, late.signal), this.#clock.now())
    } finally {
      timer.cancel()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #read(node: V1Node, signal: AbortSignal): Promise<string> {
    const token = this.#credentials.token?.()
    const options = {
      ...addressOf(node),
      path: '/metrics/resource',
      agent: this.#agent,
      signal,
      headers: { accept: 'text/plain', 'user-agent': 'metrics-server', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    }
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (answer) => {
        answer.toArray().then((chunks) => {
          if (answer.statusCode === 200) resolve(Buffer.concat(chunks as Buffer[]).toString())
          else reject(new Error(`request failed, status: "${answer.statusCode} ${answer.statusMessage}"`))
        }, reject)
      })
      outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : error))
      outgoing.end()
    })
  }
}

function addressOf({ metadata, status }: V1Node): { host: string; port: number } {
  const addresses = status?.addresses ?? []
  const host = addressTypes.flatMap((type) => addresses.filter((one) => one.type === type))[0]?.address
  if (!host) throw new Error(`node ${metadata.name} has no address`)
  // On the wire it is `Port`.
  const endpoint = status?.daemonEndpoints?.kubeletEndpoint as { Port?: number; port?: number } | undefined
  return { host, port: endpoint?.Port || endpoint?.port || usualPort }
}
