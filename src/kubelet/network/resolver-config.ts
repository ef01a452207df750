import { readFileSync } from 'node:fs'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'

export interface ResolverConfig {
  servers: string[]
  searches: string[]
  options: string[]
}

export function parseResolverConfig(text: string): ResolverConfig {
  const config: ResolverConfig = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && values[0]) config.servers.push(values[0])
    else if (word === 'search') config.searches = values.filter((value) => value !== '.')
    else if (word === 'options') config.options = values
  }
  return config
}

/** The node's own, or an empty one where it has none. */
export function readNodeResolverConfig(path: string): ResolverConfig {
  try {
    return parseResolverConfig(readFileSync(path, 'utf8'))
  } catch {
    return { servers: [], searches: [], options: [] }
  }
}

/** What the pod's `/etc/resolv.conf` is to say, by its DNS policy and configuration. */
export function resolverConfigOf(pod: V1Pod, cluster: { dns: string[]; domain: string }, node: ResolverConfig): ResolverConfig {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  const { domain } = cluster
  const clusterFirst = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  let base: ResolverConfig = node
  if (policy === 'None') base = { servers: [], searches: [], options: [] }
  else if (clusterFirst && cluster.dns.length > 0) {
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain]
    base = { servers: cluster.dns, searches: unique([...own, ...node.searches]), options: ['ndots:5'] }
  }
  const extra = pod.spec.dnsConfig
  if (!extra) return base
  const options = new Map<string, string>()
  for (const option of base.options) {
    const [name = '', value] = option.split(':')
    options.set(name, value === undefined ? name : option)
  }
  for (const { name = '', value } of extra.options ?? []) options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: unique([...base.servers, ...(extra.nameservers ?? [])]),
    searches: unique([...base.searches, ...(extra.searches ?? [])]),
    options: [...options.values()],
  }
}

const unique = (values: string[]) => [...new Set(values)]
