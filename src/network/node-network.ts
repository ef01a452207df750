import { existsSync, writeFileSync } from 'node:fs'
import { addressAt, parseAddress, parseCidr } from './cidr.ts'
import { type RunCommand, runCommand } from './command.ts'

/** Where the pods of one node live. */
export interface NodeNetwork {
  /** Name of the bridge that the node's pods hang on: at most 15 characters. */
  bridge: string
  /** Block of this node's pods. */
  podCIDR: string
  /** Block of all pods of the cluster; this node's own when absent. */
  clusterCIDR?: string
  /** Block of the Services. Gets a route, so that the node itself reaches them. */
  serviceCIDR?: string
  mtu?: number
}

/** The node's own address in the pod network: gateway of its pods. */
export function gatewayOf(network: Pick<NodeNetwork, 'podCIDR'>): string {
  return addressAt(parseCidr(network.podCIDR), 1)
}

/**
 * Makes the network of a node in the network namespace of this process, or puts right what is there. Pods
 * get a host route to the gateway and nothing else, so all traffic is routed, also between pods of the same
 * bridge: connection tracking sees both directions, which Services need, and no bridge filter module is.
 */
export async function ensureNodeNetwork(network: NodeNetwork, run: RunCommand = runCommand): Promise<{ gateway: string }> {
  const gateway = gatewayOf(network)
  const exists = existsSync(`/proc/sys/net/ipv4/conf/${network.bridge}`)
  // The rules name the bridge, and do not need it.
  await Promise.all([run('ip', ['-batch', '-'], bridgeCommands(network, exists).join('\n')), run('nft', ['-f', '-'], masqueradeRules(network))])
  for (const [path, value] of sysctls(network.bridge)) writeFileSync(`/proc/sys/net/${path}`, value)
  // Where the kernel has this switch, the bridge would translate frames itself and send them past the router.
  const bridgeFilter = '/proc/sys/net/bridge/bridge-nf-call-iptables'
  if (existsSync(bridgeFilter)) writeFileSync(bridgeFilter, '0')
  return { gateway }
}

export function bridgeCommands(network: NodeNetwork, exists: boolean): string[] {
  const { bridge, podCIDR, clusterCIDR, serviceCIDR, mtu } = network
  const gateway = gatewayOf(network)
  const { prefix } = parseCidr(podCIDR)
  const commands = ['link set lo up']
  // Without an address of its own, a bridge takes its ports' lowest one and changes it as pods come and go.
  if (!exists) commands.push(`link add ${bridge} address ${hardwareAddress(gateway)} type bridge`)
  commands.push(`link set ${bridge} up${mtu ? ` mtu ${mtu}` : ''}`, `addr replace ${gateway}/${prefix} dev ${bridge}`)
  if (clusterCIDR && clusterCIDR !== podCIDR) commands.push(`route replace unreachable ${clusterCIDR} metric 4096`)
  if (serviceCIDR) commands.push(`route replace ${serviceCIDR} dev ${bridge} src ${gateway}`)
  return commands
}

function sysctls(bridge: string): [string, string][] {
  return [
    ['ipv4/ip_forward', '1'],
    // Pods of one bridge are routed through it on purpose: no hint that there is a shorter way.
    ['ipv4/conf/all/send_redirects', '0'],
    [`ipv4/conf/${bridge}/send_redirects`, '0'],
    // The node's loopback reaches host ports; what comes from pods for loopback is dropped below.
    [`ipv4/conf/${bridge}/route_localnet`, '1'],
  ]
}

function masqueradeRules({ bridge, podCIDR, clusterCIDR }: NodeNetwork): string {
  return `
table ip skiff-node-${bridge}
delete table ip skiff-node-${bridge}
table ip skiff-node-${bridge} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname "${bridge}" masquerade
    ip saddr ${podCIDR} ip daddr != ${clusterCIDR ?? podCIDR} oifname != "${bridge}" masquerade fully-random
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 ct status & dnat != dnat drop
  }
}
`
}

/** A locally administered address made from the IPv4 one: the same at each start. */
export function hardwareAddress(address: string): string {
  const value = parseAddress(address) ?? 0
  const hex = value.toString(16).padStart(8, '0')
  return `0a:58:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}`
}
