import type { New } from '../machinery/object.ts'
import type { V1EndpointSlice, V1Service } from '../machinery/schema/generated/types.ts'
import { serviceNameLabel } from '../network/service-endpoints.ts'

export interface DnsObjectsOptions {
  /** Address of the Service, as kubelets write it into `resolv.conf`. */
  clusterIP: string
  /** Where the server listens, as pods reach it. */
  addresses: string[]
  port?: number
  metricsPort?: number
  nodeName?: string
}

const ports = [
  { name: 'dns', service: 53, protocol: 'UDP' },
  { name: 'dns-tcp', service: 53, protocol: 'TCP' },
  { name: 'metrics', service: 9153, protocol: 'TCP' },
]

/** The Service `kube-dns` and the slice that leads it to the server: no pod serves it, so no selector finds it. */
export function clusterDnsObjects(options: DnsObjectsOptions): { service: New<V1Service>; endpointSlice: New<V1EndpointSlice> } {
  const { clusterIP, addresses, port = 53, metricsPort = 9153, nodeName } = options
  const labels = { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' }
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels, annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' } },
      spec: { clusterIP, clusterIPs: [clusterIP], ports: ports.map(({ name, service, protocol }) => ({ name, port: service, protocol, targetPort: service })) },
    },
    endpointSlice: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'kube-dns',
        namespace: 'kube-system',
        labels: { 'k8s-app': 'kube-dns', [serviceNameLabel]: 'kube-dns', 'endpointslice.kubernetes.io/managed-by': 'skiff-dns' },
      },
      addressType: 'IPv4',
      ports: ports.map(({ name, protocol }) => ({ name, protocol, port: name === 'metrics' ? metricsPort : port })),
      endpoints: addresses.map((address) => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        ...(nodeName ? { nodeName } : {}),
      })),
    },
  }
}
