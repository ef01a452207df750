/**
 * API aggregation: groups that an APIService leads to another server for. Their requests go the way of any other
 * (who calls, whether they may) and are then passed on; discovery and OpenAPI tell of them beside this server's own.
 */
import type { AnyObject } from '../../machinery/object.ts'
import type { ForeignApis, RequestHandler, ServerPart, ServerPartFactory } from '../contracts.ts'
import type { RequestInfo } from '../request.ts'
import { aggregatedRequest } from './aggregated-requests.ts'
import { AvailabilityChecks } from './availability.ts'
import { ExtensionClient, type ExtensionClientOptions } from './extension-client.ts'
import { groupVersionPath, type RemoteService, remoteService } from './remote-service.ts'

export type AggregationOptions = ExtensionClientOptions

/** Servers that belong to the cluster start with it: what was there before is asked a moment later. */
const firstLookMs = 1000

export const aggregation =
  (options: AggregationOptions): ServerPartFactory =>
  (server): ServerPart => {
    const client = new ExtensionClient(options)
    /** By the path of their group and version. */
    const served = new Map<string, { service: RemoteService; handler: RequestHandler }>()
    const checks = new AvailabilityChecks(server, client)
    const endings: (() => void)[] = []

    function put(object: AnyObject, waitMs: number): void {
      const service = remoteService(object)
      if (!service) return
      served.set(groupVersionPath(service), { service, handler: aggregatedRequest(server, client, service, () => checks.isAvailable(service.name)) })
      checks.watch(service, object, waitMs)
    }
    function drop(object: AnyObject): void {
      const service = remoteService(object)
      if (!service) return
      served.delete(groupVersionPath(service))
      checks.forget(service.name)
    }

    function route(info: RequestInfo): RequestHandler | undefined {
      if (served.size === 0) return undefined
      if (info.isResourceRequest) return info.group ? served.get(groupVersionPath(info))?.handler : undefined
      if (info.path.startsWith('/apis/')) return served.get(info.path.replace(/\/$/, ''))?.handler
      return info.path.startsWith('/openapi/v3/apis/') ? served.get(info.path.slice('/openapi/v3'.length))?.handler : undefined
    }

    const foreign: ForeignApis = {
      get generation() {
        return checks.generation
      },
      groupVersions: () =>
        [...served.values()].map(({ service }) => {
          const { group, version, groupPriority, versionPriority, name } = service
          return { group, version, groupPriority, versionPriority, resources: checks.resourcesOf(name), fresh: checks.isAvailable(name) }
        }),
      openApiPaths: () => Object.assign({}, ...[...served.values()].map(({ service }) => checks.openApiOf(service.name).paths)),
      openApiV2: () => [...served.values()].flatMap(({ service }) => checks.openApiOf(service.name).v2 ?? []),
    }

    return {
      name: 'aggregation',
      route,
      foreign,
      async start() {
        const [apiServices, services, slices] = await Promise.all(
          ['apiservices.apiregistration.k8s.io', 'services', 'endpointslices.discovery.k8s.io'].map((name) => server.cached(name)),
        )
        if (!apiServices || !services || !slices) throw new Error('aggregation needs APIServices, Services and EndpointSlices')
        for (const object of apiServices.list()) put(object, firstLookMs)
        endings.push(
          apiServices.onChange(({ object, previous }) => {
            if (object && previous && JSON.stringify(object.spec) === JSON.stringify(previous.spec)) return
            if (previous) drop(previous)
            if (object) put(object, 0)
          }),
          services.onChange(({ object, previous }) => checks.serviceChanged(object ?? previous, (object ?? previous)?.metadata.name)),
          slices.onChange(({ object, previous }) => {
            const slice = object ?? previous
            checks.serviceChanged(slice, slice?.metadata.labels?.['kubernetes.io/service-name'])
          }),
        )
      },
      stop() {
        for (const end of endings) end()
        checks.stop()
        client.close()
      },
    }
  }
