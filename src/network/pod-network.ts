import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { PodNetwork } from '../runtime/runtime.ts'
import { AddressPool } from './address-pool.ts'
import { CommandError, type RunCommand, runCommand } from './command.ts'
import { HostPorts } from './host-ports.ts'
import { gatewayOf, hardwareAddress, type NodeNetwork } from './node-network.ts'
import { type SandboxRecord, SandboxRecords } from './sandbox-records.ts'

export interface PodNetworkOptions {
  network: NodeNetwork
  /** Addresses given out are remembered here. */
  stateDirectory: string
  run?: RunCommand
}

/**
 * The pod network of a node whose {@link ensureNodeNetwork} has run: each sandbox gets an address of the
 * pod CIDR and a cable (a veth pair) between its network namespace and the node's bridge.
 */
export function createPodNetwork({ network, stateDirectory, run = runCommand }: PodNetworkOptions): PodNetwork {
  const pool = new AddressPool(network.podCIDR)
  const records = new SandboxRecords(join(stateDirectory, 'sandboxes'))
  const hostPorts = new HostPorts(network.bridge, run)
  for (const record of records.all()) pool.claim(record.address)

  /** Ports are loaded again only for sandboxes that have some: most have none. */
  async function forget(record: SandboxRecord): Promise<void> {
    records.remove(record.id)
    pool.release(record.address)
    if (record.hostPorts.length > 0) await hostPorts.load(records.all())
  }

  async function detach(id: string): Promise<void> {
    const record = records.get(id)
    if (!record) return
    await deleteLink(record.link, run)
    await forget(record)
  }

  return {
    async attach({ id, namespace, name, netnsPath, portMappings }) {
      // What an attempt before left half is undone, so that this one starts from nothing.
      await detach(id)
      const address = pool.allocate()
      const record = { id, namespace, name, address, link: linkName(id), hostPorts: portMappings.filter((mapping) => mapping.hostPort > 0) }
      records.put(record)
      try {
        // Named from its directory: a batch cannot quote, and a data directory may have any name.
        const commands = nodeCommands(record, network, `./${basename(netnsPath)}`).join('\n')
        await run('env', ['-C', dirname(netnsPath), 'ip', '-batch', '-'], commands)
        await run('nsenter', [`--net=${netnsPath}`, 'ip', '-batch', '-'], sandboxCommands(record, network).join('\n'))
        if (record.hostPorts.length > 0) await hostPorts.load(records.all())
      } catch (error) {
        await detach(id)
        throw error
      }
      return { ips: [address] }
    },

    detach: ({ id }) => detach(id),

    async retain(sandboxIds) {
      const kept = new Set(sandboxIds)
      for (const record of records.all()) if (!kept.has(record.id)) await detach(record.id)
      await hostPorts.load(records.all())
    },
  }
}

/** The kernel takes 15 characters; the hash keeps the name the same for a sandbox, whatever its id looks like. */
export function linkName(sandboxId: string): string {
  return `veth${createHash('sha256').update(sandboxId).digest('hex').slice(0, 11)}`
}

function nodeCommands({ link, address }: SandboxRecord, { bridge, mtu }: NodeNetwork, netnsPath: string): string[] {
  const size = mtu ? ` mtu ${mtu}` : ''
  return [
    `link add ${link} up${size} master ${bridge} type veth peer name eth0 address ${hardwareAddress(address)}${size} netns ${netnsPath}`,
    // A frame may go back to the pod that it came from, and pods do not speak past the node's rules.
    `link set ${link} type bridge_slave hairpin on isolated on`,
  ]
}

function sandboxCommands({ address }: SandboxRecord, network: NodeNetwork): string[] {
  const gateway = gatewayOf(network)
  return [
    'link set lo up',
    'link set eth0 up',
    `addr add ${address}/32 dev eth0`,
    `route add ${gateway} dev eth0 scope link src ${address}`,
    `route add default via ${gateway} dev eth0 src ${address}`,
  ]
}

async function deleteLink(link: string, run: RunCommand): Promise<void> {
  try {
    await run('ip', ['link', 'delete', link])
  } catch (error) {
    // It goes with the sandbox's network namespace, and then is gone already.
    if (!(error instanceof CommandError && /Cannot find device/.test(error.stderr))) throw error
  }
}
