/** `metrics.k8s.io` as an extension API server: the metrics server's numbers, behind an API server's front. */

import { NodeMetrics } from '../apis/metrics/node-metrics.ts'
import { PodMetrics } from '../apis/metrics/pod-metrics.ts'
import { metricsDescriptions, metricsModels, metricsPackage } from '../apis/metrics/types.ts'
import type { Resource } from '../apis/resource.ts'
import type { RequestContext, RequestHandler, ServerPartFactory } from '../apiserver/contracts.ts'
import { discovery } from '../apiserver/discovery/discovery.ts'
import { openApi } from '../apiserver/discovery/openapi.ts'
import { delegatedAuthorization } from '../apiserver/extension/delegated-authorization.ts'
import { requestHeaderAuthentication } from '../apiserver/extension/request-header.ts'
import { negotiate } from '../apiserver/negotiation/accept.ts'
import { includeObjectOf, present } from '../apiserver/negotiation/present.ts'
import { parseSelection } from '../apiserver/registry/selectors.ts'
import type { ApiResponse } from '../apiserver/request.ts'
import { type ApiServer, createApiServer } from '../apiserver/server.ts'
import type { Client } from '../client/client.ts'
import type { Logger } from '../client/component.ts'
import type { Clock } from '../machinery/clock.ts'
import { methodNotAllowed, notFound } from '../machinery/errors.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { AnyObject, StoredMeta } from '../machinery/object.ts'
import { openApiDocuments } from '../machinery/openapi/openapi.ts'
import { readBuiltInDescriptions, readBuiltInSchema } from '../machinery/schema/built-in.ts'
import { builtInPackages } from '../machinery/schema/facts/built-in.ts'
import { Schema } from '../machinery/schema/schema.ts'
import type { MetricsServer } from '../metrics/metrics-server.ts'
import { MemoryStore } from '../store/memory-store.ts'

export interface MetricsApiOptions {
  metrics: MetricsServer
  /** For questions about callers. */
  client: Client
  clock: Clock
  log: Logger
  /** Told by its `/metrics`. */
  registry?: MetricRegistry
}

export async function startMetricsApi({ metrics, client, clock, log, registry }: MetricsApiOptions): Promise<ApiServer> {
  const schema = new Schema({ models: { ...readBuiltInSchema().models, ...metricsModels }, resources: [] }, [...builtInPackages, metricsPackage])
  const descriptions = () => ({ ...readBuiltInDescriptions(), ...metricsDescriptions })
  const server = createApiServer({
    store: new MemoryStore(),
    clock,
    ...(registry ? { metrics: registry } : {}),
    schema,
    resources: [NodeMetrics, PodMetrics] as unknown as Resource[],
    parts: [
      requestHeaderAuthentication({ allowedNames: ['front-proxy-client'], client }),
      delegatedAuthorization(client),
      discovery,
      openApi(openApiDocuments(schema, descriptions)),
      measurements(metrics),
    ],
    log: (level, message, fields) => log[level](message, fields),
  })
  await server.start()
  return server
}

type Measured = { metadata: StoredMeta }

const measurements =
  (metrics: MetricsServer): ServerPartFactory =>
  ({ clock }) => {
    function handler(
      resource: Resource,
      list: (namespace: string, selects: (one: Measured) => boolean) => Measured[],
      get: (namespace: string, name: string) => Measured | undefined,
    ): RequestHandler {
      const { group, version, kind, plural } = resource
      const apiVersion = `${group}/${version}`
      return {
        name: kind,
        resources: [`${plural}.${group}`],
        async handle({ info, request }: RequestContext): Promise<ApiResponse> {
          const accepted = negotiate(request.headers.accept)
          const shown = (object: AnyObject): ApiResponse => {
            const presentation = { accepted, resource, include: includeObjectOf(request.query), now: clock.now() }
            return { kind: 'object', status: 200, object: accepted.as ? present(object, presentation) : object }
          }
          if (info.verb === 'get') {
            const found = get(info.namespace, info.name)
            const name = info.namespace ? `${info.namespace}/${info.name}` : info.name
            if (!found) throw notFound({ group, resource: kind.toLowerCase(), name })
            return shown({ kind, apiVersion, ...found })
          }
          if (info.verb !== 'list') throw methodNotAllowed({ group, resource: plural }, info.verb)
          const { query } = request
          const selection = parseSelection(resource, info.namespace, query.get('labelSelector'), query.get('fieldSelector'))
          const items = list(selection.namespace, (one) => selection.matches?.(one as AnyObject) ?? true)
          return shown({ kind: `${kind}List`, apiVersion, metadata: {}, items } as unknown as AnyObject)
        },
      }
    }
    return {
      name: 'measurements',
      handlers: [
        handler(
          NodeMetrics as unknown as Resource,
          (_, selects) => metrics.nodes().filter(selects),
          (_, name) => metrics.node(name),
        ),
        handler(
          PodMetrics as unknown as Resource,
          (namespace, selects) => metrics.pods(namespace || undefined, selects),
          (namespace, name) => metrics.pod(namespace, name),
        ),
      ],
      healthChecks: [
        {
          name: 'metric-storage-ready',
          of: ['readyz'],
          check() {
            if (!metrics.ready) throw new Error('no metrics to serve')
          },
        },
      ],
    }
  }
