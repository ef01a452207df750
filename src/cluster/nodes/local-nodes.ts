/**
 * Further nodes of this machine, each a process in namespaces of its own, joined to the first by a bridge. They are
 * made, removed, and put through what befalls machines: stopped, killed, cut off. Operations on one node run one
 * after the other.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeletSettings } from '../../kubelet/settings.ts'
import type { Clock } from '../../machinery/clock.ts'
import { removeCgroupTree } from '../cgroup-parent.ts'
import { blockIndex, mostNodes, nodeAddressOf, podBlock } from '../cluster-network.ts'
import { writeCredentials, writeServingPair } from '../join/credential-files.ts'
import type { NodeLease } from '../node-lease.ts'
import type { KeyPair } from '../pki/certificate-authority.ts'
import { writeOwnerOnly } from '../pki/key-pair-file.ts'
import { UserError } from '../user-error.ts'
import type { AgentOptions } from './agent-options.ts'
import { expectedLocalNode } from './expected-node.ts'
import { type LocalNodeRecord, type LocalNodeRequest, type LocalNodeState, localProviderID } from './local-node.ts'
import { connectNode, isLinkUp, setLink } from './node-link.ts'
import { NodeProcesses } from './node-process.ts'

export interface LocalNodesOptions {
  /** `nodes/` of the data directory: a directory for each node. */
  directory: string
  /** In memory: which processes run. */
  runDirectory: string
  logs: string
  imagesDir: string
  /** Parent of all cgroups of the cluster: `/skiff-…`. */
  cgroupParent: string
  bridge: string
  prefix: number
  /** The first node's address: the way out, and where the API server answers. */
  gateway: string
  server: string
  proxy: boolean
  lease: NodeLease
  labels: Record<string, string>
  /** Of their kubelets, where not as usual. */
  kubelet: KubeletSettings | undefined
  /** The machine's. */
  pidMax: number
  authority: string
  client(nodeName: string): Promise<KeyPair>
  serving(nodeName: string, addresses: string[]): Promise<KeyPair>
  clock: Clock
  /** Blocks of pods that nodes of the cluster have now, whoever made these. */
  takenBlocks(): Promise<readonly string[]>
}

/** Seconds that a node's pods get to end when it is stopped. */
const gentleSeconds = 10
const nameForm = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/

export class LocalNodes {
  readonly #options: LocalNodesOptions
  readonly #processes: NodeProcesses
  readonly #turns = new Map<string, Promise<unknown>>()
  /** Numbers that are being given out. */
  readonly #reserved = new Set<number>()

  constructor(options: LocalNodesOptions) {
    this.#options = options
    mkdirSync(options.directory, { recursive: true })
    this.#processes = new NodeProcesses(options.runDirectory, options.clock)
  }

  async list(): Promise<LocalNodeState[]> {
    return Promise.all(this.#records().map((record) => this.#stateOf(record)))
  }

  async find(name: string): Promise<LocalNodeState | undefined> {
    const record = this.#record(name)
    return record && this.#stateOf(record)
  }

  /** How such a node will look. */
  expected(request: LocalNodeRequest) {
    return expectedLocalNode(request, this.#options)
  }

  /** Makes it and starts its processes; its Node object comes from its own kubelet. Throws {@link UserError} where the name is taken or none. */
  create(request: LocalNodeRequest): Promise<LocalNodeState> {
    if (!nameForm.test(request.name)) throw new UserError(`'${request.name}' cannot be the name of a node: lower-case letters, digits and '-', at most 40`)
    return this.#inTurn(request.name, async () => {
      if (this.#record(request.name)) throw new UserError(`there is a node '${request.name}' already`)
      const index = await this.#freeIndex()
      try {
        const record: LocalNodeRecord = { ...request, index, wanted: 'running' }
        mkdirSync(this.#directoryOf(request.name), { recursive: true, mode: 0o711 })
        this.#write(record)
        await this.#boot(record)
        return await this.#stateOf(record)
      } finally {
        this.#reserved.delete(index)
      }
    })
  }

  /** Ends its processes and removes all that it kept. The Node object is not touched. No error when it is not there. */
  remove(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      if (!this.#record(name)) return
      await this.#processes.stop(name, gentleSeconds)
      await this.#removeCgroups(name)
      // Its record goes last: what a crash leaves here is removed by the next try.
      const directory = this.#directoryOf(name)
      for (const entry of readdirSync(directory)) if (entry !== 'node.json') rmSync(join(directory, entry), { recursive: true, force: true, maxRetries: 3 })
      rmSync(directory, { recursive: true, force: true })
    })
  }

  /** Starts what was stopped or killed; one that runs stays as it is. */
  start(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      const record = this.#known(name)
      this.#write({ ...record, wanted: 'running' })
      if (!this.#processes.running(name)) await this.#boot(record)
    })
  }

  /** As a machine is shut down: pods end, then everything. It stays off until it is started. */
  stop(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      this.#write({ ...this.#known(name), wanted: 'stopped' })
      await this.#processes.stop(name, gentleSeconds)
      await this.#removeCgroups(name)
    })
  }

  /** As the power fails. It stays off until it is started. */
  kill(name: string): Promise<void> {
    return this.#inTurn(name, async () => {
      this.#write({ ...this.#known(name), wanted: 'stopped' })
      await this.#processes.kill(name)
      await this.#removeCgroups(name)
    })
  }

  /** Cuts its link; its processes go on. */
  partition(name: string): Promise<void> {
    return this.#inTurn(name, () => setLink(this.#running(name).index, 'down'))
  }

  heal(name: string): Promise<void> {
    return this.#inTurn(name, () => setLink(this.#running(name).index, 'up'))
  }

  /** Starts every node that should run and does not: at the start of a cluster, or after its server crashed. */
  async resume(): Promise<void> {
    await Promise.all(
      this.#records()
        .filter(({ name, wanted }) => wanted === 'running' && !this.#processes.running(name))
        .map((record) => this.#inTurn(record.name, () => this.#boot(record))),
    )
  }

  /** Ends all of them, and leaves what they keep and what was wanted of them. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#records().map(({ name }) => this.#inTurn(name, () => this.#processes.stop(name, gentleSeconds))))
  }

  async #boot(record: LocalNodeRecord): Promise<void> {
    const { name, index } = record
    const { authority, gateway, bridge, prefix, logs } = this.#options
    const directory = this.#directoryOf(name)
    const address = nodeAddressOf(index)
    const [client, serving] = await Promise.all([this.#options.client(name), this.#options.serving(name, [address, '127.0.0.1'])])
    const pki = join(directory, 'pki')
    await Promise.all([writeCredentials(pki, { ca: authority, client }), writeServingPair(pki, serving)])
    const options: AgentOptions = {
      nodeName: name,
      address,
      podCIDR: podBlock(index),
      server: this.#options.server,
      dataDir: directory,
      imagesDir: this.#options.imagesDir,
      cgroupRoot: `${this.#options.cgroupParent}/${name}`,
      providerID: localProviderID(name),
      labels: { ...this.#options.labels, 'skiff.dev/node-pool': record.pool ?? 'default', ...record.labels },
      taints: record.taints ?? [],
      capacity: record.capacity ?? {},
      ...(this.#options.kubelet ? { kubelet: this.#options.kubelet } : {}),
      pidMax: this.#options.pidMax,
      proxy: this.#options.proxy,
      lease: this.#options.lease,
    }
    const file = join(directory, 'agent.json')
    await writeOwnerOnly(file, JSON.stringify(options, null, 2))
    await this.#processes.start(name, file, join(logs, `${name}.log`), {
      connect: (pid) => connectNode(index, pid, { bridge, address, prefix, gateway }),
    })
  }

  async #freeIndex(): Promise<number> {
    const blocks = await this.#options.takenBlocks()
    const taken = new Set([...this.#reserved, ...this.#records().map(({ index }) => index), ...blocks.map(blockIndex)])
    for (let index = 1; index < mostNodes; index++) {
      if (taken.has(index)) continue
      this.#reserved.add(index)
      return index
    }
    throw new UserError(`a cluster has at most ${mostNodes} nodes with networks of their own`)
  }

  async #removeCgroups(name: string): Promise<void> {
    // Processes of a killed namespace leave their cgroups a moment after it is gone.
    for (let tries = 0; tries < 100 && removeCgroupTree(`${this.#options.cgroupParent}/${name}`).length > 0; tries++) await this.#options.clock.sleep(20)
  }

  async #stateOf(record: LocalNodeRecord): Promise<LocalNodeState> {
    const process = this.#processes.running(record.name)
    return {
      name: record.name,
      pool: record.pool ?? 'default',
      address: nodeAddressOf(record.index),
      podCIDR: podBlock(record.index),
      providerID: localProviderID(record.name),
      state: process ? 'running' : 'stopped',
      connected: process !== undefined && (await isLinkUp(record.index)),
      pid: process?.pid,
    }
  }

  #known(name: string): LocalNodeRecord {
    const record = this.#record(name)
    if (!record) throw new UserError(`there is no node '${name}' beside the first: 'skiff node ls' lists them`)
    return record
  }

  #running(name: string): LocalNodeRecord {
    const record = this.#known(name)
    if (!this.#processes.running(name)) throw new UserError(`node '${name}' is off: 'skiff node start ${name}' starts it`)
    return record
  }

  #record(name: string): LocalNodeRecord | undefined {
    const file = join(this.#directoryOf(name), 'node.json')
    return nameForm.test(name) && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LocalNodeRecord) : undefined
  }

  #records(): LocalNodeRecord[] {
    return readdirSync(this.#options.directory)
      .map((name) => this.#record(name))
      .filter((record) => record !== undefined)
  }

  #write(record: LocalNodeRecord): void {
    const file = join(this.#directoryOf(record.name), 'node.json')
    writeFileSync(`${file}.new`, JSON.stringify(record, null, 2))
    renameSync(`${file}.new`, file)
  }

  #directoryOf(name: string): string {
    return join(this.#options.directory, name)
  }

  #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work)
    // Its caller hears of an error; who comes next only waits.
    const settled = turn.catch(() => {})
    this.#turns.set(name, settled)
    settled.then(() => {
      if (this.#turns.get(name) === settled) this.#turns.delete(name)
    })
    return turn
  }
}
