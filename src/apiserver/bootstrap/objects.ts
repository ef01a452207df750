/** The objects of {@link bootstrap}, as they are created. */

const named = (apiVersion: string, kind: string, name: string, namespace?: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace ? { namespace } : {}) },
})

/** The first address of a range: where the `kubernetes` Service is found. */
export function firstAddress(cidr: string): string {
  const base = cidr.split('/')[0] ?? ''
  if (base.includes(':')) return base.endsWith('::') ? `${base}1` : base.replace(/[^:]*$/, (last) => (Number.parseInt(last || '0', 16) + 1).toString(16))
  const parts = base.split('.').map(Number)
  parts[3] = (parts[3] ?? 0) + 1
  return parts.join('.')
}

export const kubernetesService = (cidrs: string[], targetPort: number) => {
  const first = cidrs[0] ?? ''
  const service = named('v1', 'Service', 'kubernetes', 'default')
  return {
    ...service,
    metadata: { ...service.metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      clusterIP: firstAddress(first),
      clusterIPs: [firstAddress(first)],
      ipFamilies: [first.includes(':') ? 'IPv6' : 'IPv4'],
      ipFamilyPolicy: 'SingleStack',
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort }],
    },
  }
}

interface Advertised {
  address: string
  port: number
}

export const kubernetesEndpoints = ({ address, port }: Advertised) => {
  const endpoints = named('v1', 'Endpoints', 'kubernetes', 'default')
  return {
    ...endpoints,
    metadata: { ...endpoints.metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  }
}

export const kubernetesEndpointSlice = ({ address, port }: Advertised) => {
  const slice = named('discovery.k8s.io/v1', 'EndpointSlice', 'kubernetes', 'default')
  return {
    ...slice,
    metadata: { ...slice.metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }
}

export const serviceCidr = (cidrs: string[]) => ({ ...named('networking.k8s.io/v1', 'ServiceCIDR', 'kubernetes'), spec: { cidrs } })

export const systemPriorityClasses = [
  {
    ...named('scheduling.k8s.io/v1', 'PriorityClass', 'system-cluster-critical'),
    value: 2_000_000_000,
    description: 'For pods without which the cluster does not work, wherever they run.',
  },
  {
    ...named('scheduling.k8s.io/v1', 'PriorityClass', 'system-node-critical'),
    value: 2_000_001_000,
    description: 'For pods without which their node does not work.',
  },
]

/** Extension API servers read here whom to trust for client certificates and for forwarded users. */
export const clientAuthentication = ({ clientCa, frontProxyCa }: { clientCa: string; frontProxyCa: string }) => ({
  ...named('v1', 'ConfigMap', 'extension-apiserver-authentication', 'kube-system'),
  data: {
    'client-ca-file': clientCa,
    'requestheader-client-ca-file': frontProxyCa,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
  },
})
