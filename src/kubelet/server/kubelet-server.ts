import type { Logger } from '../../client/component.ts'
import type { Informer } from '../../client/informer.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'
import type { RuntimeCache } from '../runtime-cache.ts'

export interface KubeletServerOptions {
  host?: string
  /** 0: any. */
  port?: number
  tls: { key: string; cert: string; clientCA: string }
  /** Whether a client with this certificate may call; absent: any certificate that the CA has signed. */
  authorize?(client: { commonName: string; organizations: string[] }, request: { method: string; path: string }): Promise<boolean>
}

export interface KubeletServer {
  readonly port: number
  close(): Promise<void>
}

export interface ServerSources {
  runtime: Runtime
  cache: RuntimeCache
  pods: Informer<V1Pod>
  services: PodServices
  clock: Clock
  log: Logger
  nodeName: string
}

export async function startKubeletServer(_options: KubeletServerOptions, _sources: ServerSources): Promise<KubeletServer> {
  throw new Error('not yet')
}
