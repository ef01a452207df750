/** Pools whose nodes others make: any provider of cluster-autoscaler's external gRPC protocol. */
import { isDeepStrictEqual } from 'node:util'
import type { Client } from '../../client/client.ts'
import { Secret } from '../../client/resources.ts'
import type { Clock } from '../../machinery/clock.ts'
import { MessageDecoder } from '../../machinery/protobuf/decode-message.ts'
import { readBuiltInSchema } from '../../machinery/schema/built-in.ts'
import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { Schema } from '../../machinery/schema/schema.ts'
import { deleteNode } from '../node-deletion.ts'
import type { NodePool, ScaleDownSettings } from '../node-pool.ts'
import type { Instance, NodeGroup, NodeProvider } from '../node-provider.ts'
import { defaultSettings } from '../settings.ts'
import type { CloudConfig } from './cloud-config.ts'
import { type Duration, type ExternalNode, type GroupOptions, instanceStates } from './protocol.ts'
import { ProviderConnection, type ProviderCredentials } from './provider-connection.ts'

export interface ExternalProviderOptions {
  client: Client
  clock: Clock
  /** For pools that do not say where their provider is. */
  cloudConfig?: CloudConfig
}

/** How a node looks, and when it may go, seldom changes. */
const keepMs = 60_000

/** Where a pool's provider is, and how it is spoken to. */
interface Way {
  key: string
  address: string
  timeoutMs?: number | undefined
  credentials: (() => Promise<ProviderCredentials>) | undefined
}

interface Connected {
  connection: ProviderConnection
  tls: ProviderCredentials | undefined
  groups: Map<string, ExternalGroup>
  /** Names of the provider's groups, or why they are not known. */
  known: Promise<Set<string>>
}

export function externalProvider(options: ExternalProviderOptions): NodeProvider {
  const connections = new Map<string, { way: Way; connecting: Promise<Connected> }>()
  const decoder = new LazyDecoder()

  const connect = async ({ address, timeoutMs, credentials }: Way): Promise<Connected> => {
    const tls = await credentials?.()
    const connection = new ProviderConnection(address, options.clock, { tls, timeoutMs })
    const known = namesOf(connection)
    // Whoever asks hears of it.
    known.catch(() => {})
    return { connection, tls, groups: new Map(), known }
  }

  const begin = (way: Way): Promise<Connected> => {
    const connecting = connect(way)
    connections.set(way.key, { way, connecting })
    // What could not be read now may be there later.
    connecting.catch(() => connections.delete(way.key))
    return connecting
  }

  const wayOf = (pool: NodePool): Way => {
    const { cloudConfig, client } = options
    const { address, tlsSecretName } = pool.spec.external ?? {}
    if (address === undefined) {
      if (!cloudConfig)
        throw new Error(`the pool ${pool.metadata.name} does not say who makes its nodes: external.address is missing, and there is no cloud config`)
      return { key: 'cloud config', ...cloudConfig }
    }
    const credentials = tlsSecretName === undefined ? undefined : () => readCredentials(client, tlsSecretName)
    return { key: `${address} ${tlsSecretName ?? ''}`, address, credentials }
  }

  const refresh = async (way: Way, connecting: Promise<Connected>): Promise<void> => {
    const connected = await connecting
    if (!isDeepStrictEqual(await way.credentials?.(), connected.tls)) {
      // Renewed certificates want a connection of their own.
      connected.connection.close()
      await (await begin(way)).known
      return
    }
    connected.known = connected.connection.call('Refresh', {}).then(() => namesOf(connected.connection))
    await connected.known
  }

  return {
    async group(pool) {
      const id = pool.spec.external?.group ?? pool.metadata.name
      const way = wayOf(pool)
      const { connection, groups, known } = await (connections.get(way.key)?.connecting ?? begin(way))
      const names = await known
      if (!names.has(id)) throw new Error(`the provider at ${way.address} has no node group '${id}'; it has ${[...names].sort().join(', ') || 'none'}`)
      const group = groups.get(id) ?? new ExternalGroup(options.client, connection, id, options.clock, decoder)
      groups.set(id, group)
      return group
    },
    async refresh() {
      const all = await Promise.allSettled([...connections.values()].map(({ way, connecting }) => refresh(way, connecting)))
      const failed = all.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
    async close() {
      for (const { connecting } of connections.values()) {
        // What was never connected need not be closed, and a provider that is gone has nothing to clean up.
        const connected = await connecting.catch(() => undefined)
        await connected?.connection.call('Cleanup', {}).catch(() => {})
        connected?.connection.close()
      }
      connections.clear()
    },
  }
}

async function namesOf(connection: ProviderConnection): Promise<Set<string>> {
  return new Set((await connection.call('NodeGroups', {})).groups.map(({ id }) => id))
}

async function readCredentials(client: Client, name: string): Promise<ProviderCredentials> {
  const { data = {} } = await client.get(Secret, { name, namespace: 'kube-system' })
  const part = (key: string) => {
    const text = data[key]
    if (text === undefined) throw new Error(`the Secret kube-system/${name} has no ${key}`)
    return Buffer.from(text, 'base64')
  }
  return { ca: part('ca.crt'), key: part('tls.key'), certificate: part('tls.crt') }
}

/** The schema is large, and few need it here. */
class LazyDecoder {
  #decoder: MessageDecoder | undefined

  node(bytes: Uint8Array): V1Node {
    this.#decoder ??= new MessageDecoder(new Schema(readBuiltInSchema()))
    const { metadata, spec, status } = (this.#decoder.decode('V1Node', bytes) ?? {}) as Partial<V1Node>
    const identity = { uid: '', resourceVersion: '', creationTimestamp: '' }
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'template', ...metadata, ...identity },
      spec: spec ?? {},
      status: { ...status, allocatable: status?.allocatable ?? status?.capacity ?? {} },
    }
  }
}

class ExternalGroup implements NodeGroup {
  readonly #client: Client
  readonly #connection: ProviderConnection
  readonly #id: string
  readonly #clock: Clock
  readonly #decoder: LazyDecoder
  #kept: { at: number; template: V1Node | undefined; settings: ScaleDownSettings & { provisionSeconds?: number } } | undefined

  constructor(client: Client, connection: ProviderConnection, id: string, clock: Clock, decoder: LazyDecoder) {
    this.#client = client
    this.#connection = connection
    this.#id = id
    this.#clock = clock
    this.#decoder = decoder
  }

  async template(): Promise<V1Node | undefined> {
    return (await this.#look()).template
  }

  async settings() {
    return (await this.#look()).settings
  }

  async targetSize(): Promise<number> {
    const { size } = await this.#connection.call('NodeGroupTargetSize', { id: this.#id })
    if (size < 0) throw this.#nonsense('NodeGroupTargetSize', `${size} nodes`)
    return size
  }

  async instances(): Promise<Instance[]> {
    const { instances } = await this.#connection.call('NodeGroupNodes', { id: this.#id })
    return instances.map(({ id, status }): Instance => {
      if (id === '') throw this.#nonsense('NodeGroupNodes', 'an instance without an id')
      const error = status?.error?.code ? { error: { code: status.error.code, message: status.error.message } } : {}
      return { id, state: instanceStates[status?.state ?? 0] ?? 'running', ...error }
    })
  }

  async increase(by: number): Promise<void> {
    await this.#connection.call('NodeGroupIncreaseSize', { id: this.#id, delta: by })
  }

  async remove(instances: readonly Instance[]): Promise<void> {
    await this.#connection.call('NodeGroupDeleteNodes', { id: this.#id, nodes: instances.map(toExternal) })
    // Nobody else would: there is no cloud controller manager beside the provider.
    await Promise.all(instances.map(({ node }) => node && deleteNode(this.#client, node.metadata)))
  }

  async takeBack(wishes: number): Promise<void> {
    await this.#connection.call('NodeGroupDecreaseTargetSize', { id: this.#id, delta: -wishes })
  }

  async #look() {
    const now = this.#clock.monotonic()
    if (this.#kept && now - this.#kept.at < keepMs) return this.#kept
    const id = this.#id
    const [info, own] = await Promise.all([
      this.#connection.ask('NodeGroupTemplateNodeInfo', { id }),
      this.#connection.ask('NodeGroupGetOptions', { id, defaults: defaultOptions }),
    ])
    const bytes = info && (info.node.length > 0 ? info.node : info.old)
    this.#kept = { at: now, template: bytes && bytes.length > 0 ? this.#templateFrom(bytes) : undefined, settings: settingsFrom(own?.options) }
    return this.#kept
  }

  #templateFrom(bytes: Uint8Array): V1Node {
    try {
      return this.#decoder.node(bytes)
    } catch (error) {
      throw this.#nonsense('NodeGroupTemplateNodeInfo', `what is no Node: ${error instanceof Error ? error.message : error}`)
    }
  }

  #nonsense(call: string, what: string): Error {
    return new Error(`the provider at ${this.#connection.address} answered ${call} of ${this.#id} with ${what}`)
  }
}

/** What the provider only repeats of what it was told, it does not say. */
function settingsFrom(options: GroupOptions | undefined): ScaleDownSettings & { provisionSeconds?: number } {
  if (!options) return {}
  const said = (name: 'unneeded' | 'unready' | 'provision') => {
    const own = options[name]
    return own && secondsOf(own) > 0 && secondsOf(own) !== secondsOf(defaultOptions[name]) ? secondsOf(own) : undefined
  }
  const { utilizationThreshold } = options
  const [unneededSeconds, unreadySeconds, provisionSeconds] = [said('unneeded'), said('unready'), said('provision')]
  return {
    ...(utilizationThreshold > 0 && utilizationThreshold !== defaultOptions.utilizationThreshold ? { utilizationPercent: utilizationThreshold * 100 } : {}),
    ...(unneededSeconds === undefined ? {} : { unneededSeconds }),
    ...(unreadySeconds === undefined ? {} : { unreadySeconds }),
    ...(provisionSeconds === undefined ? {} : { provisionSeconds }),
  }
}

const toDuration = (ms: number): Duration => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 })
const secondsOf = ({ seconds, nanos }: Duration): number => seconds + nanos / 1e9

const defaultOptions = {
  utilizationThreshold: defaultSettings.scaleDownUtilizationThreshold,
  gpuUtilizationThreshold: defaultSettings.scaleDownUtilizationThreshold,
  zeroOrMaxNodeScaling: false,
  ignoreDaemonSetsUtilization: false,
  unneeded: toDuration(defaultSettings.scaleDownUnneededMs),
  unready: toDuration(defaultSettings.scaleDownUnreadyMs),
  provision: toDuration(defaultSettings.maxNodeProvisionMs),
}

/** One that never registered is called by its id alone. */
function toExternal({ id, node }: Instance): ExternalNode {
  const { name = id, labels = {}, annotations = {} } = node?.metadata ?? {}
  return { providerID: node?.spec.providerID ?? id, name, labels, annotations }
}
