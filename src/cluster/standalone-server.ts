/** What a component that runs alone needs to serve over HTTPS: a certificate of its own, and whose callers to believe. */

import { createHttpServer } from '../apiserver/http/http-server.ts'
import type { Client } from '../client/client.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { ConfigMap } from '../client/resources.ts'
import { SecurePages } from '../client/secure-pages.ts'
import type { Clock } from '../machinery/clock.ts'
import { type MetricsServerOptions, startMetricsServer } from '../metrics/metrics-server.ts'
import { startMetricsApi } from './metrics-api.ts'
import { createAuthority, issueCertificate, type KeyPair } from './pki/certificate-authority.ts'
import { UserError } from './user-error.ts'

export interface ServeOn {
  host: string
  port: number
}

/** Signed by itself, as upstream's components do that are given none. */
async function ownCertificate(name: string, host: string, clock: Clock): Promise<KeyPair> {
  const authority = await createAuthority(`${name}-ca`, clock.now())
  return issueCertificate(authority, { commonName: name, usages: ['server'], dnsNames: ['localhost', name], addresses: [host] }, clock.now())
}

/** What the cluster says of who signs the certificates of callers. */
async function publishedAuthority(client: Client, key: 'client-ca-file' | 'requestheader-client-ca-file'): Promise<string | undefined> {
  const published = await client.find(ConfigMap, { namespace: 'kube-system', name: 'extension-apiserver-authentication' })
  return published?.data?.[key]
}

const inUse =
  ({ host, port }: ServeOn) =>
  (error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? new UserError(`port ${port} of ${host} is taken: --secure-port names another`) : error
  }

/** `/metrics` and health of a component that runs alone. */
export async function startStandalonePages(context: ComponentContext, name: string, on: ServeOn): Promise<Component> {
  const { client, clock, metrics } = context
  const own = await ownCertificate(name, on.host, clock)
  const clientCa = await publishedAuthority(client, 'client-ca-file')
  const pages = new SecurePages({ clock, certificate: async () => own, ...(clientCa ? { clientCa } : {}) })
  if (metrics) await pages.serve({ ...on, registry: metrics, client }).catch(inUse(on))
  return { name: `${name} pages`, stop: () => pages.stop() }
}

/** `metrics.k8s.io` by a metrics server that runs alone; an APIService leads to it. */
export async function startStandaloneMetricsServer(context: ComponentContext, on: ServeOn, options: MetricsServerOptions): Promise<Component> {
  const { client, clock, log, metrics: registry } = context
  const own = await ownCertificate('metrics-server', on.host, clock)
  const clientCa = await publishedAuthority(client, 'requestheader-client-ca-file')
  const metrics = startMetricsServer(context, options)
  const api = await startMetricsApi({ metrics, client, clock, log, ...(registry ? { registry } : {}) })
  const http = createHttpServer({
    handle: (request) => api.handle(request),
    clock,
    certificate: own.certificate,
    key: own.key,
    ...(clientCa ? { clientCa } : {}),
    log: (level, message, fields) => log[level](message, fields),
  })
  await http.listen(on).catch(inUse(on))
  return {
    name: 'metrics-server',
    async stop() {
      await metrics.stop()
      await api.stop()
      await http.stop(0)
    },
  }
}
