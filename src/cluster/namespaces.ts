/** What must be so inside the cluster's namespaces before anything runs there. Safe to do again after a crash. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCidr } from '../network/cidr.ts'
import { runCommand } from '../network/command.ts'
import { hardwareAddress } from '../network/node-network.ts'
import { cgroupMounts } from './cgroup-mounts.ts'
import { clusterCIDR, nodesCIDR } from './cluster-network.ts'
import type { DataDirectory } from './data-directory.ts'

const isMounted = (point: string) =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === point)

const nodesPrefix = parseCidr(nodesCIDR).prefix

/** The bridge on which nodes of one machine meet; its address is the first node's own. */
export const nodeBridge = 'skiff-nodes'

/** A path of the cluster's network namespace that stays good while this process comes and goes. */
export const ownNetwork = (data: DataDirectory): string => join(data.run, 'network-namespace')

/** One program does it all: while it runs the server reads its own code, and has no time to start the next. */
export async function prepareNamespaces(data: DataDirectory): Promise<void> {
  const network = ownNetwork(data)
  const steps = ['ip link set lo up', ...cgroupMounts()]
  // What lives only as long as the cluster is kept in memory: nothing of it is left when the namespaces end.
  if (!isMounted(data.run)) steps.push('mount -t tmpfs -o mode=0755 skiff-run "$1"')
  if (!isMounted(network)) steps.push(': >"$2"', 'mount --bind /proc/self/ns/net "$2"')
  await runCommand('sh', ['-ec', steps.join('\n'), 'sh', data.run, network])
}

/** Safe to do again after a crash: cables that hang on the bridge stay. */
export async function ensureNodeBridge(address: string): Promise<void> {
  const isThere = existsSync(`/proc/sys/net/ipv4/conf/${nodeBridge}`)
  const commands = [`addr replace ${address}/${nodesPrefix} dev ${nodeBridge}`, `link set ${nodeBridge} up`]
  // With an address of its own it keeps it, whichever cables come and go.
  if (!isThere) commands.unshift(`link add ${nodeBridge} address ${hardwareAddress(address)} type bridge`)
  await Promise.all([runCommand('ip', ['-batch', '-'], commands.join('\n')), runCommand('nft', ['-f', '-'], wayOutForNodes)])
}

/** Other nodes go out by way of the first one: the helper that lets traffic out knows no address but its own. */
const wayOutForNodes = `
table ip skiff-nodes
delete table ip skiff-nodes
table ip skiff-nodes {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${nodesCIDR} ip daddr != { ${nodesCIDR}, ${clusterCIDR} } oifname "egress*" masquerade fully-random
  }
}
`
