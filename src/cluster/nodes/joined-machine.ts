/**
 * A machine that joins a cluster of another machine: its node lives in namespaces of its own, and is connected to the
 * others by an overlay whose packets go through the machine's own network. The machine stays as it was.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join as joinPath } from 'node:path'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import type { Logger } from '../../client/component.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { Node } from '../../client/resources.ts'
import type { KubeletSettings } from '../../kubelet/settings.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import type { V1Node, V1Taint } from '../../machinery/schema/generated/types.ts'
import { parseAddress, parseCidr } from '../../network/cidr.ts'
import { CommandError, runCommand } from '../../network/command.ts'
import { hardwareAddress } from '../../network/node-network.ts'
import { addPeerIn, machineAddressAnnotation, makeOverlayDevice, overlayNumberAnnotation } from '../../network/overlay.ts'
import { cgroupParent, removeCgroups } from '../cgroup-parent.ts'
import { apiPortInside, blockIndex, nodeAddressOf, nodesCIDR } from '../cluster-network.ts'
import { type DataDirectory, dataDirectory, prepareDataDirectory } from '../data-directory.ts'
import { readServingPair, writeServingPair } from '../join/credential-files.ts'
import { checkWords, join } from '../join/join.ts'
import { explained } from '../join/join-error.ts'
import { proxyTransport } from '../join/proxy-token.ts'
import { requestServingCertificate } from '../join/request-certificate.ts'
import { nodeBridge } from '../namespaces.ts'
import { machinePidMax } from '../pid-max.ts'
import { writeOwnerOnly } from '../pki/key-pair-file.ts'
import { UserError } from '../user-error.ts'
import type { AgentOptions } from './agent-options.ts'
import { type NodeProcess, NodeProcesses } from './node-process.ts'

export interface JoinMachineOptions {
  /** `https://HOST:PORT`. */
  server: string
  token?: string
  caHash?: string
  nodeName: string
  /** This machine's address, on the network that it shares with the server; found out when absent. */
  address?: string
  dataDir: string
  egress: 'on' | 'off'
  labels: Record<string, string>
  taints: V1Taint[]
  capacity: Record<string, string>
  /** Of its kubelet, where not as usual. */
  kubelet?: KubeletSettings
  clock: Clock
  log: Logger
}

export interface JoinedMachine {
  nodeName: string
  /** On the link of all nodes. */
  address: string
  process: NodeProcess
}

const gentleSeconds = 20
/** How long the cluster may take to give the node its block of pods. */
const patienceMs = 30_000

/** Joins, or comes back, and starts the node's processes. Throws {@link UserError} for all that a person can mend. */
export async function joinMachine(options: JoinMachineOptions): Promise<JoinedMachine> {
  const { server, nodeName, clock, log } = options
  const known = dataDirectory(options.dataDir)
  const running = nodeOver(known)
  if (running !== undefined && processesOf(known, clock).running(running))
    throw new UserError(`node '${running}' is running over ${known.root} already: 'skiff down --data-dir ${known.root}' stops it`)
  // Words that are wrong are refused before there is a directory.
  const url = urlOf(server)
  checkWords(options)
  const machineAddress = options.address ?? (await addressTowards(url))
  const data = prepareDataDirectory(options.dataDir)
  const processes = processesOf(data, clock)
  const pki = joinPath(data.root, 'pki')
  const { token, caHash } = options
  const credentials = await join({ server, nodeName, directory: pki, clock, log, ...(token ? { token } : {}), ...(caHash ? { caHash } : {}) })
  const { certificate, key } = credentials.client
  const transport = createHttpTransport({ server, ca: credentials.ca, certificate, key, authorization: () => undefined })
  const client = createClient(transport, { userAgent: 'skiff-agent' })
  // Of other nodes the proxy may know, not the node itself.
  const asProxy = proxyTransport(server, credentials.ca, { client, nodeName, clock })
  try {
    const podCIDR = await registered(client, options, machineAddress)
    const index = blockIndex(podCIDR)
    if (index === undefined)
      throw new UserError(`the cluster gave this node the block of pods ${podCIDR}, which is none of a cluster of skiff: it can only join such`)
    const address = nodeAddressOf(index)
    await client.patch(Node, { name: nodeName }, 'strategic', { status: { addresses: addressesOf(nodeName, address) } }, { subresource: 'status' })
    const overlay = await overlayOf(createClient(asProxy, { userAgent: 'skiff-agent' }))
    if (!(await readServingPair(pki, credentials.ca, clock.now())))
      await writeServingPair(pki, await requestServingCertificate({ client, nodeName, addresses: [address], clock, patienceMs }))
    const id = machineId(data)
    removeCgroups(id)
    const agent: AgentOptions = {
      nodeName,
      address,
      podCIDR,
      server: `https://${overlay.apiAddress}:${apiPortInside}`,
      dataDir: data.root,
      imagesDir: data.images,
      cgroupRoot: `${cgroupParent(id)}/${nodeName}`,
      providerID: `skiff://machine/${nodeName}`,
      labels: { 'skiff.dev/node-pool': 'default', 'topology.skiff.dev/machine': nodeName, ...options.labels },
      taints: options.taints,
      capacity: options.capacity,
      ...(options.kubelet ? { kubelet: options.kubelet } : {}),
      pidMax: machinePidMax(),
      proxy: true,
      overlay: { machineAddress, peers: overlay.peers },
      egress: options.egress,
    }
    const file = joinPath(data.root, 'agent.json')
    await writeOwnerOnly(file, JSON.stringify(agent, null, 2))
    const machineNetwork = openSync('/proc/self/ns/net', 'r')
    try {
      const started = await processes.start(nodeName, file, joinPath(data.logs, 'agent.log'), {
        machineNetwork,
        connect: (pid) => connectMachine(pid, { number: overlay.number, machineAddress, address, peers: overlay.peers }),
      })
      return { nodeName, address, process: started }
    } finally {
      closeSync(machineNetwork)
    }
  } catch (error) {
    throw explained(error, server)
  } finally {
    transport.close()
    asProxy.close()
  }
}

/** Ends the node that runs over this directory. Returns false when none does. */
export async function stopMachine(data: DataDirectory, clock: Clock): Promise<boolean> {
  const nodeName = nodeOver(data)
  if (nodeName === undefined) return false
  const processes = processesOf(data, clock)
  const wasRunning = processes.running(nodeName) !== undefined
  await processes.stop(nodeName, gentleSeconds)
  for (let tries = 0; removeCgroups(machineId(data)).length > 0 && tries < 100; tries++) await clock.sleep(50)
  return wasRunning
}

export const runningMachine = (data: DataDirectory, nodeName: string, clock: Clock): NodeProcess | undefined => processesOf(data, clock).running(nodeName)

/** The name of the node that ran last over this directory, and may be running. */
function nodeOver(data: DataDirectory): string | undefined {
  const file = joinPath(data.root, 'agent.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as AgentOptions).nodeName : undefined
}

const processesOf = (data: DataDirectory, clock: Clock) => new NodeProcesses(joinPath(data.root, 'processes'), clock)

function urlOf(server: string): URL {
  try {
    const url = new URL(server)
    if (url.protocol === 'https:') return url
  } catch {
    // Said below.
  }
  throw new UserError(`--server takes an address like https://192.0.2.1:6443, not '${server}'`)
}

/** Names the cgroups of this machine's node, over all its starts. */
function machineId(data: DataDirectory): string {
  const file = joinPath(data.root, 'machine-id')
  if (!existsSync(file)) writeFileSync(file, randomBytes(4).toString('hex'))
  return readFileSync(file, 'utf8')
}

/** The address with which this machine speaks to the server. */
function addressTowards(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: url.hostname, port: Number(url.port || 443), timeout: 10_000 })
    const fail = (why: string) => {
      socket.destroy()
      reject(new UserError(`the server ${url.host} cannot be reached (${why}): check --server, and that the cluster was started with --join-address`))
    }
    socket.once('timeout', () => fail('no answer within 10 s'))
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    socket.once('connect', () => {
      const { localAddress = '' } = socket
      socket.destroy()
      if (parseAddress(localAddress) === undefined)
        reject(new UserError(`this machine speaks to the server from ${localAddress}: give an IPv4 address with --address`))
      else resolve(localAddress)
    })
  })
}

const addressesOf = (nodeName: string, address: string) => [
  { type: 'InternalIP', address },
  { type: 'Hostname', address: nodeName },
]

/** Makes the Node, or finds it, and waits for its block of pods. */
async function registered(client: Client, { nodeName, labels, taints, clock }: JoinMachineOptions, machineAddress: string): Promise<string> {
  const annotations = { [machineAddressAnnotation]: machineAddress, 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
  try {
    // Others see at once that it is not ready: its kubelet says when it is.
    await client.create(Node, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName, ...labels }, annotations },
      spec: taints.length > 0 ? { taints } : {},
    })
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
    await client.patch(Node, { name: nodeName }, 'merge', { metadata: { annotations } })
  }
  const end = clock.monotonic() + patienceMs
  for (;;) {
    const { spec } = await client.get(Node, { name: nodeName })
    if (spec?.podCIDR) return spec.podCIDR
    if (clock.monotonic() > end)
      throw new UserError(`the cluster has no block of pods for node '${nodeName}': it holds at most 256 nodes with networks of their own`)
    await clock.sleep(25)
  }
}

interface Overlay {
  number: number
  apiAddress: string
  peers: string[]
}

async function overlayOf(client: Client): Promise<Overlay> {
  const { items } = await client.list(Node)
  const first = items.find(({ metadata }) => metadata.annotations?.[overlayNumberAnnotation])
  const apiAddress = first && internalAddress(first)
  const peer = first?.metadata.annotations?.[machineAddressAnnotation]
  if (!first || !apiAddress || !peer) throw new UserError('the cluster takes no other machines: start it with --join-address ADDRESS')
  return { number: Number(first.metadata.annotations?.[overlayNumberAnnotation]), apiAddress, peers: [peer] }
}

const internalAddress = ({ status }: V1Node) => status?.addresses?.find(({ type }) => type === 'InternalIP')?.address

async function connectMachine(pid: number, options: { number: number; machineAddress: string; address: string; peers: string[] }): Promise<void> {
  const { number, machineAddress, address, peers } = options
  const inside = ['nsenter', `--net=/proc/${pid}/ns/net`]
  const [program = '', ...words] = inside
  const commands = [
    'link set lo up',
    `link add ${nodeBridge} address ${hardwareAddress(address)} type bridge`,
    `addr add ${address}/${parseCidr(nodesCIDR).prefix} dev ${nodeBridge}`,
    `link set ${nodeBridge} up`,
  ]
  await runCommand(program, [...words, 'ip', '-batch', '-'], commands.join('\n'))
  await makeOverlayDevice({ number, address: machineAddress, pid, bridge: nodeBridge }).catch((error: unknown) => {
    if (!(error instanceof CommandError && /already exists/.test(error.stderr))) throw error
    throw new UserError('another node of this cluster runs on this machine, which can be one of them only')
  })
  for (const peer of peers) await addPeerIn(pid, peer)
}
