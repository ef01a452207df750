/** Puts the API server together with all its parts, over a store: as a value, listening nowhere yet. */
import { admission } from '../apiserver/admission/admission.ts'
import { aggregation } from '../apiserver/aggregation/aggregation.ts'
import type { ExtensionServer } from '../apiserver/aggregation/extension-client.ts'
import { authentication } from '../apiserver/authentication/authentication.ts'
import { authorization } from '../apiserver/authorization/authorization.ts'
import { bootstrap } from '../apiserver/bootstrap/bootstrap.ts'
import { certificates } from '../apiserver/certificates/certificates.ts'
import type { ServerPartFactory, WriteRecord } from '../apiserver/contracts.ts'
import { customResources } from '../apiserver/custom-resources/custom-resources.ts'
import { discovery } from '../apiserver/discovery/discovery.ts'
import { localGroups } from '../apiserver/discovery/local-groups.ts'
import { openApi } from '../apiserver/discovery/openapi.ts'
import { createHttpServer, type HttpServer } from '../apiserver/http/http-server.ts'
import { createInProcessTransport } from '../apiserver/in-process-transport.ts'
import type { UserInfo } from '../apiserver/request.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import { createClient } from '../client/api-client.ts'
import type { Client } from '../client/client.ts'
import type { Logger } from '../client/component.ts'
import { meteredTransport } from '../client/metered-transport.ts'
import type { Clock } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import { openApiDocuments } from '../machinery/openapi/openapi.ts'
import { readBuiltInDescriptions, readBuiltInSchema } from '../machinery/schema/built-in.ts'
import { Schema } from '../machinery/schema/schema.ts'
import { ensureEncryptionConfig, transformersOf } from '../store/encryption/encryption-config.ts'
import type { Store } from '../store/store.ts'
import { componentMetrics } from './component-metrics.ts'
import type { Pki } from './pki/pki.ts'
import { renewRegularly } from './pki/renewal.ts'

export interface ControlPlaneOptions {
  store: Store
  clock: Clock
  log: Logger
  pki: Pki
  /** Where the key of encryption at rest is kept; absent: nothing is encrypted (memory stores). */
  encryptionFile?: string
  /** Where the server is reached from within the cluster. */
  advertise?: { address: string; port: number }
  serviceCidr: string
  onWrite?(record: WriteRecord): void
  /** Extension API servers of this process, by `host:port`: reached there without a connection. */
  extensions?: ReadonlyMap<string, ExtensionServer>
  /** Further parts, asked after the standard ones. */
  parts?: readonly ServerPartFactory[]
}

export interface ControlPlane {
  readonly server: ApiServer
  readonly http: HttpServer
  /** A client that speaks as this user, in process; its requests are counted where it is said. */
  client(user: UserInfo, userAgent: string, metrics?: MetricRegistry): Client
  stop(): Promise<void>
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, clock, pki, log } = options
  const schema = new Schema(readBuiltInSchema())
  const parts: ServerPartFactory[] = [
    // Its namespaces come before what is made in them.
    bootstrap({
      clientCa: pki.ca.certificate,
      frontProxyCa: pki.frontProxyCa.certificate,
      serviceCidrs: [options.serviceCidr],
      ...(options.advertise ? { advertise: options.advertise } : {}),
    }),
    authentication({ serviceAccountKey: pki.serviceAccount, clusterCa: pki.ca.certificate }),
    authorization,
    admission,
    certificates,
    customResources(schema),
    aggregation({ ...pki.frontProxyClient, ...(options.extensions ? { inProcess: options.extensions } : {}) }),
    discovery,
    localGroups,
    openApi(openApiDocuments(schema, readBuiltInDescriptions)),
    ...(options.parts ?? []),
  ]
  const metrics = componentMetrics()
  const server = createApiServer({
    store,
    metrics,
    clock,
    schema,
    parts,
    ...(options.encryptionFile ? { transformer: transformersOf(ensureEncryptionConfig(options.encryptionFile)) } : {}),
    ...(options.onWrite ? { onWrite: options.onWrite } : {}),
    log: (level, message, fields) => log[level](message, fields),
  })
  await server.start()
  const http = createHttpServer({
    handle: (request) => server.handle(request),
    clock,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientCa: pki.ca.certificate,
    metrics,
    log: (level, message, fields) => log[level](message, fields),
  })
  const host = options.advertise ? `${options.advertise.address}:${options.advertise.port}` : 'in-process'
  const endRenewal = renewRegularly({
    clock,
    shown: pki.serving,
    current: () => pki.currentServing(),
    renew: ({ certificate, key }) => http.renew(certificate, key),
    failed: (error) => log.warn('the serving certificate could not be renewed', { error: error instanceof Error ? error.message : String(error) }),
  })
  return {
    server,
    http,
    client(user, userAgent, registry) {
      const transport = createInProcessTransport(server, { user, userAgent })
      return createClient(registry ? meteredTransport(transport, { registry, clock, host }) : transport, { userAgent })
    },
    async stop() {
      endRenewal()
      await server.stop()
      await http.stop(1000)
    },
  }
}
