import type { V1Pod } from '../../machinery/schema/generated/types.ts'

/** The host name inside the pod, and its full name where it has a subdomain. */
export function hostNames(pod: V1Pod, clusterDomain: string): { hostname: string; domain: string } {
  const { hostnameOverride, hostname, subdomain } = pod.spec
  if (hostnameOverride) return { hostname: hostnameOverride, domain: '' }
  const name = hostname ?? pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '')
  return { hostname: name, domain: subdomain ? `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '' }
}

/** The content of `/etc/hosts` of a pod that has a network of its own. */
export function hostsFile(pod: V1Pod, ips: readonly string[], clusterDomain: string): string {
  const { hostname, domain } = hostNames(pod, clusterDomain)
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map((ip) => (domain ? `${ip}\t${hostname}.${domain}\t${hostname}` : `${ip}\t${hostname}`)),
  ]
  return `${lines.join('\n')}\n${aliases(pod)}`
}

/** For a pod in the node's network: the node's file with the pod's aliases. */
export const nodeHostsFile = (pod: V1Pod, ofNode: string): string => `# Kubernetes-managed hosts file (host network).\n${ofNode}${aliases(pod)}`

function aliases(pod: V1Pod): string {
  const all = pod.spec.hostAliases ?? []
  if (all.length === 0) return ''
  return `\n# Entries added by HostAliases.\n${all.map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}\n`).join('')}`
}
