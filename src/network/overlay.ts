/**
 * Joins the links of nodes on different machines into one, by VXLAN (RFC 7348). The device stands in a network
 * namespace of the cluster, its socket in the machine's own: nothing of the machine's interfaces, routes or firewall
 * changes, and one UDP port is used. What goes over it is not encrypted: it is for networks that are trusted, as with
 * other overlays of this kind.
 */
import { Node } from '../apis/core/node.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import type { V1Node } from '../machinery/schema/generated/types.ts'
import { parseAddress } from './cidr.ts'
import { CommandError, type RunCommand, runCommand } from './command.ts'

/** On a Node: the address of its machine, on the network that machines share. */
export const machineAddressAnnotation = 'skiff.dev/machine-address'
/** On a Node: the number of the cluster's overlay, from 1 to 2^24 - 1. */
export const overlayNumberAnnotation = 'skiff.dev/overlay-number'

export const overlayDevice = 'skiff-vxlan'
const port = 8472
/** Larger packets than the machine's link takes are sent in pieces. */
const mtu = 1500
/**
 * Of pods: with the overlay's 50 octets around it a packet still fits the usual link of a machine. One that does not fit
 * and must not be cut, as most are, is lost before its sender hears so. Clusters of one machine have it, too: others may join.
 */
export const podMtu = 1450
const everyone = '00:00:00:00:00:00'

export interface OverlayDeviceOptions {
  /** Of the cluster; machines of different clusters do not hear each other. */
  number: number
  /** This machine's address. */
  address: string
  /** A process in the namespace that gets the device. */
  pid: number
  /** A path of the machine's own network namespace; absent: this process is in it. */
  machineNetwork?: string
  /** The bridge that it becomes a port of. */
  bridge: string
  run?: RunCommand
}

/** Makes the device; one of the same name goes first. */
export async function makeOverlayDevice({ number, address, pid, machineNetwork, bridge, run = runCommand }: OverlayDeviceOptions): Promise<void> {
  const inside = (words: string[], input?: string) => run('nsenter', [`--net=/proc/${pid}/ns/net`, ...words], input)
  await inside(['ip', 'link', 'delete', overlayDevice]).catch(() => {})
  const kind = ['type', 'vxlan', 'id', String(number), 'local', address, 'dstport', String(port)]
  const make = ['ip', 'link', 'add', overlayDevice, 'mtu', String(mtu), 'netns', String(pid), ...kind]
  await (machineNetwork ? run('nsenter', [`--net=${machineNetwork}`, ...make]) : run('ip', make.slice(1)))
  await inside(['ip', '-batch', '-'], `link set ${overlayDevice} master ${bridge}\nlink set ${overlayDevice} up`)
}

/** Frames whose place is not known go to every peer. Run in the device's namespace. */
export async function addPeer(address: string, run: RunCommand = runCommand): Promise<void> {
  await run('bridge', ['fdb', 'append', everyone, 'dev', overlayDevice, 'dst', address]).catch((error) => {
    if (!(error instanceof CommandError && /exists/.test(error.stderr))) throw error
  })
}

/** The same from outside, by a process of that namespace. */
export const addPeerIn = (pid: number, address: string): Promise<void> =>
  addPeer(address, (program, words, input) => runCommand('nsenter', [`--net=/proc/${pid}/ns/net`, program, ...words], input))

async function removePeer(address: string, run: RunCommand): Promise<void> {
  await run('bridge', ['fdb', 'delete', everyone, 'dev', overlayDevice, 'dst', address]).catch((error) => {
    if (!(error instanceof CommandError && /No such/.test(error.stderr))) throw error
  })
}

/** The machines of the other nodes. Pure. */
export function desiredPeers(nodes: readonly V1Node[], ownAddress: string): Set<string> {
  const addresses = nodes.flatMap(({ metadata }) => metadata.annotations?.[machineAddressAnnotation] ?? [])
  return new Set(addresses.filter((address) => address !== ownAddress && parseAddress(address) !== undefined))
}

export interface OverlayOptions {
  address: string
  /** Known before the Nodes can be read; stay whatever these say. */
  always?: readonly string[]
  run?: RunCommand
}

/** Keeps the peers of the device as the Nodes are. */
export function startOverlay(context: ComponentContext, { address, always = [], run = runCommand }: OverlayOptions): Component {
  const nodes = context.informers.informer(Node)
  const peers = new Set<string>()
  let turn: Promise<void> = Promise.resolve()

  async function sync(): Promise<void> {
    const wanted = desiredPeers(nodes.list(), address)
    for (const one of always) wanted.add(one)
    for (const one of peers) {
      if (wanted.has(one)) continue
      await removePeer(one, run)
      peers.delete(one)
    }
    for (const one of wanted) {
      if (peers.has(one)) continue
      await addPeer(one, run)
      peers.add(one)
    }
  }
  const next = () => {
    turn = turn.then(sync).catch((error) => context.log.warn('could not set the machines of other nodes', { error }))
  }
  const stopWatching = nodes.onChange(next)
  next()
  return {
    name: 'overlay',
    async stop() {
      stopWatching()
      await turn
    },
  }
}
