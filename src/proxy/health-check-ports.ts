import type { Server } from 'node:http'
import type { Logger } from '../client/component.ts'
import { createServer } from '../machinery/node-http.ts'
import type { V1EndpointSlice, V1Service } from '../machinery/schema/generated/types.ts'
import { endpointsOf } from '../network/service-endpoints.ts'

/** What a load balancer outside asks a node: whether it has endpoints of a Service whose traffic stays local. */
export interface HealthCheck {
  port: number
  namespace: string
  name: string
  localEndpoints: number
}

export function healthCheckOf({ metadata, spec }: V1Service, slices: readonly V1EndpointSlice[], nodeName: string): HealthCheck | undefined {
  const port = spec.healthCheckNodePort
  if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local' || !port) return undefined
  const local = new Set<string>()
  for (const servicePort of spec.ports ?? []) {
    for (const endpoint of endpointsOf(servicePort, slices)) if (endpoint.ready && endpoint.nodeName === nodeName) local.add(endpoint.address)
  }
  return { port, namespace: metadata.namespace, name: metadata.name, localEndpoints: local.size }
}

/** Serves each check on its own port of the node. */
export class HealthCheckPorts {
  readonly #log: Logger
  readonly #checks = new Map<string, { check: HealthCheck; server: Server }>()

  constructor(log: Logger) {
    this.#log = log
  }

  set(service: string, check: HealthCheck | undefined): void {
    const known = this.#checks.get(service)
    if (known && known.check.port === check?.port) {
      known.check = check
      return
    }
    if (known) {
      this.#checks.delete(service)
      known.server.close()
      known.server.closeAllConnections()
    }
    if (!check) return
    const server = createServer((_, response) => {
      const { namespace, name, localEndpoints } = this.#checks.get(service)?.check ?? check
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      })
      response.end(`${JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }, null, '\t')}\n`)
    })
    // A port that somebody else holds is no reason to let Services go.
    server.on('error', (error) => this.#log.warn('could not serve the health check of a Service', { service, error }))
    server.listen(check.port)
    this.#checks.set(service, { check, server })
  }

  async close(): Promise<void> {
    for (const service of [...this.#checks.keys()]) this.set(service, undefined)
  }
}
