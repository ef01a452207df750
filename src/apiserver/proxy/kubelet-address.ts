/** Where the kubelet of a node listens. */
import { badRequest, notFound } from '../../machinery/errors.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess } from '../contracts.ts'

export interface KubeletAddress {
  nodeName: string
  host: string
  port: number
}

const preferred = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS']
const usualPort = 10_250

export async function kubeletAddress(server: ServerAccess, nodeName: string): Promise<KubeletAddress> {
  const node = (await server.cached('nodes')).get('', nodeName) as unknown as V1Node | undefined
  if (!node) throw notFound({ resource: 'nodes', name: nodeName })
  const addresses = node.status?.addresses ?? []
  const host = preferred.flatMap((type) => addresses.filter((one) => one.type === type))[0]?.address
  if (!host) throw badRequest(`no preferred addresses found; known addresses: []`)
  // On the wire it is `Port`; a node that says nothing listens where all do.
  const endpoint = node.status?.daemonEndpoints?.kubeletEndpoint as { Port?: number; port?: number } | undefined
  return { nodeName, host, port: endpoint?.Port || endpoint?.port || usualPort }
}
