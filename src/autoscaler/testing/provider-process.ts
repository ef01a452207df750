/**
 * A provider in a process of its own, that speaks the external protocol: `provider-process.ts [DIRECTORY]`. Prints its
 * port. Its groups: `large` and `small` make what they are asked for; `slow` takes wishes and makes nothing; `failing`
 * makes broken instances. In the directory, where one is named: `state.json`, what it has, which it finds again when it
 * is started anew; `port`, where it listens; `ca.crt`, `tls.crt` and `tls.key`, with which it is encrypted, and wants
 * certificates of its callers; `behaviour.json` ({@link Behaviour}), looked at with each call.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import { message } from '../../machinery/protobuf/message.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { type Call, type CallName, calls, type ExternalInstance, pathOf } from '../external/protocol.ts'

interface Entry {
  key: string
  value: { text: string } | undefined
}
const quantity = message<{ text: string }>({ text: { number: 1, kind: 'string' } })
const entry = message<Entry>({ key: { number: 1, kind: 'string' }, value: { number: 2, kind: quantity } })
const nodeStatus = message<{ capacity: Entry[]; allocatable: Entry[] }>({
  capacity: { number: 1, kind: entry, many: true },
  allocatable: { number: 2, kind: entry, many: true },
})
const meta = message<{ name: string; labels: Record<string, string> }>({ name: { number: 1, kind: 'string' }, labels: { number: 11, kind: 'strings' } })
const kubernetesNode = message<{ meta: { name: string; labels: Record<string, string> }; status: { capacity: Entry[]; allocatable: Entry[] } }>({
  meta: { number: 1, kind: meta },
  status: { number: 3, kind: nodeStatus },
})

export interface Behaviour {
  /** By call, how long an answer takes; what was asked for is done at once. */
  delayMs?: Partial<Record<CallName, number>>
  /** Calls that are answered with bytes that mean nothing. */
  garbage?: CallName[]
  /** Sizes are below zero, or an instance has no name. */
  wrong?: ('size' | 'instance')[]
}

export interface ProviderState {
  next: number
  groups: Record<string, { target: number; instances: ExternalInstance[] }>
}

const directory = process.argv[2]
const file = (name: string) => join(directory ?? '', name)
const isThere = (name: string) => directory !== undefined && existsSync(file(name))
const state: ProviderState = isThere('state.json')
  ? (JSON.parse(readFileSync(file('state.json'), 'utf8')) as ProviderState)
  : { next: 0, groups: Object.fromEntries(['large', 'small', 'slow', 'failing'].map((id) => [id, { target: 0, instances: [] }])) }
const behaviour = (): Behaviour => (isThere('behaviour.json') ? (JSON.parse(readFileSync(file('behaviour.json'), 'utf8')) as Behaviour) : {})

function keep(): void {
  if (directory === undefined) return
  writeFileSync(file('state.json.new'), JSON.stringify(state))
  renameSync(file('state.json.new'), file('state.json'))
}

/** Comes up in a moment. */
function boot(instance: ExternalInstance): void {
  realClock.after(50, () => {
    Object.assign(instance, { status: { state: 1, error: undefined } })
    keep()
  })
}

class Refusal extends Error {
  readonly code: number
  readonly details: string

  constructor(code: number, details: string) {
    super(details)
    this.code = code
    this.details = details
  }
}

function groupOf(id: string) {
  const group = state.groups[id]
  if (!group) throw new Refusal(status.NOT_FOUND, `no group ${id}`)
  return group
}

function increase(id: string, delta: number): void {
  const group = groupOf(id)
  if (group.target + delta > 5) throw new Refusal(status.RESOURCE_EXHAUSTED, 'at most 5 nodes')
  group.target += delta
  if (id === 'slow') return
  for (let i = 0; i < delta; i++) {
    const error = id === 'failing' ? { code: 'OUT_OF_STOCK', message: 'none is left', class: 1 } : undefined
    const made: ExternalInstance = { id: `pretend://${id}-${state.next++}`, status: { state: 2, error } }
    group.instances.push(made)
    if (!error) boot(made)
  }
}

function templateOf(id: string): Uint8Array {
  const amounts = Object.entries({ cpu: id === 'small' ? '2' : '4', memory: '16Gi', pods: '110' }).map(([key, text]) => ({ key, value: { text } }))
  return kubernetesNode.encode({ meta: { name: `${id}-template`, labels: { size: id } }, status: { capacity: amounts, allocatable: amounts } })
}

type Answers = { [N in CallName]?: (typeof calls)[N] extends Call<infer Q, infer A> ? (request: Q) => Partial<A> : never }

const answers: Answers = {
  NodeGroups: () => ({ groups: Object.keys(state.groups).map((id) => ({ id, minSize: 0, maxSize: 5, debug: '' })) }),
  Refresh: () => ({}),
  Cleanup: () => ({}),
  NodeGroupTargetSize: ({ id }) => ({ size: behaviour().wrong?.includes('size') ? -1 : groupOf(id).target }),
  NodeGroupIncreaseSize({ id, delta }) {
    increase(id, delta)
    return {}
  },
  NodeGroupDeleteNodes({ id, nodes }) {
    const group = groupOf(id)
    const gone = new Set(nodes.map(({ providerID }) => providerID))
    const left = group.instances.filter((one) => !gone.has(one.id))
    group.target -= group.instances.length - left.length
    group.instances = left
    return {}
  },
  NodeGroupDecreaseTargetSize({ id, delta }) {
    const group = groupOf(id)
    if (group.target + delta < group.instances.length) throw new Refusal(status.FAILED_PRECONDITION, 'that would end instances')
    group.target += delta
    return {}
  },
  NodeGroupNodes: ({ id }) => ({ instances: behaviour().wrong?.includes('instance') ? [{ id: '', status: undefined }] : groupOf(id).instances }),
  NodeGroupTemplateNodeInfo: ({ id }) => ({ node: templateOf(id) }),
  NodeGroupGetOptions({ id, defaults }) {
    if (id !== 'large' || !defaults) throw new Refusal(status.UNIMPLEMENTED, 'only of large')
    return { options: { ...defaults, utilizationThreshold: 0.7, unneeded: { seconds: 2, nanos: 500_000_000 } } }
  },
}

const server = new Server()
const service = Object.fromEntries(
  Object.keys(answers).map((name) => {
    const codec = calls[name as CallName] as unknown as Call<object, object>
    return [
      name,
      {
        path: pathOf(name as CallName),
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: object) => Buffer.from(codec.request.encode(value)),
        requestDeserialize: (bytes: Buffer) => codec.request.decode(bytes),
        responseSerialize: (value: object) =>
          behaviour().garbage?.includes(name as CallName) ? Buffer.from([0x0a, 0xff, 0xff, 0x01]) : Buffer.from(codec.response.encode(value)),
        responseDeserialize: (bytes: Buffer) => codec.response.decode(bytes),
      },
    ]
  }),
)
const implementation = Object.fromEntries(
  Object.entries(answers).map(([name, answer]) => [
    name,
    (call: { request: object }, reply: (error: Refusal | null, value?: object) => void) => {
      try {
        const value = (answer as (request: object) => object)(call.request)
        keep()
        const delay = behaviour().delayMs?.[name as CallName]
        if (delay === undefined) reply(null, value)
        else realClock.after(delay, () => reply(null, value))
      } catch (error) {
        reply(error instanceof Refusal ? error : new Refusal(status.INTERNAL, String(error)))
      }
    },
  ]),
)
server.addService(service, implementation)
for (const { instances } of Object.values(state.groups))
  for (const instance of instances) if (instance.status?.state === 2 && !instance.status.error) boot(instance)

const port = isThere('port') ? readFileSync(file('port'), 'utf8').trim() : '0'
const read = (name: string) => readFileSync(file(name))
const credentials = isThere('tls.key')
  ? ServerCredentials.createSsl(read('ca.crt'), [{ cert_chain: read('tls.crt'), private_key: read('tls.key') }], true)
  : ServerCredentials.createInsecure()
server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => {
  if (error) throw error
  if (directory !== undefined) writeFileSync(file('port'), String(bound))
  console.log(bound)
})
