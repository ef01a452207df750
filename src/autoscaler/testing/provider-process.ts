/**
 * A provider in a process of its own, that speaks the external protocol: `provider-process.ts`. Prints its port. Its
 * groups: `large` makes what it is asked for; `slow` takes wishes and makes nothing; `failing` makes broken instances.
 */
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

const groups = new Map<string, { target: number; instances: ExternalInstance[] }>(['large', 'slow', 'failing'].map((id) => [id, { target: 0, instances: [] }]))
const counter = { next: 0 }

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
  const group = groups.get(id)
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
    const made: ExternalInstance = { id: `pretend://${id}-${counter.next++}`, status: { state: 2, error } }
    group.instances.push(made)
    if (!error) realClock.after(50, () => void Object.assign(made, { status: { state: 1, error: undefined } }))
  }
}

function templateOf(id: string): Uint8Array {
  const amounts = Object.entries({ cpu: '4', memory: '16Gi', pods: '110' }).map(([key, text]) => ({ key, value: { text } }))
  return kubernetesNode.encode({ meta: { name: `${id}-template`, labels: { size: id } }, status: { capacity: amounts, allocatable: amounts } })
}

type Answers = { [N in CallName]?: (typeof calls)[N] extends Call<infer Q, infer A> ? (request: Q) => Partial<A> : never }

const answers: Answers = {
  NodeGroups: () => ({ groups: [...groups.keys()].map((id) => ({ id, minSize: 0, maxSize: 5, debug: '' })) }),
  Refresh: () => ({}),
  Cleanup: () => ({}),
  NodeGroupTargetSize: ({ id }) => ({ size: groupOf(id).target }),
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
  NodeGroupNodes: ({ id }) => ({ instances: groupOf(id).instances }),
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
        responseSerialize: (value: object) => Buffer.from(codec.response.encode(value)),
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
        reply(null, (answer as (request: object) => object)(call.request))
      } catch (error) {
        reply(error instanceof Refusal ? error : new Refusal(status.INTERNAL, String(error)))
      }
    },
  ]),
)
server.addService(service, implementation)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  console.log(port)
})
