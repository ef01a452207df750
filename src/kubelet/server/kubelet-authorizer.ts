/** Who may call the kubelet: the API server's own certificate, and whom the API server says may (as upstream's webhook mode). */
import type { TLSSocket } from 'node:tls'
import type { Client } from '../../client/client.ts'
import { anonymous, type Caller, DelegatedAccess, verbOfMethod } from '../../client/delegated-access.ts'
import type { Clock } from '../../machinery/clock.ts'

export class KubeletAuthorizer {
  readonly #access: DelegatedAccess
  readonly #nodeName: string

  constructor(client: Client, clock: Clock, nodeName: string) {
    this.#access = new DelegatedAccess(client, clock)
    this.#nodeName = nodeName
  }

  /** Undefined: nobody that is known. */
  async authenticate(socket: TLSSocket, authorization: string | undefined): Promise<Caller | undefined> {
    const caller = await this.#access.authenticate(socket, authorization)
    return caller === anonymous ? undefined : caller
  }

  mayCall(caller: Caller, method: string, path: string): Promise<boolean> {
    const attributes = { verb: verbOfMethod(method), version: 'v1', resource: 'nodes', subresource: subresourceOf(path), name: this.#nodeName }
    return this.#access.may(caller, { resourceAttributes: attributes })
  }
}

function subresourceOf(path: string): string {
  if (path.startsWith('/stats')) return 'stats'
  if (path.startsWith('/metrics')) return 'metrics'
  if (path.startsWith('/logs')) return 'log'
  if (path.startsWith('/healthz')) return 'healthz'
  if (path === '/pods' || path === '/runningpods/') return 'pods'
  return 'proxy'
}
