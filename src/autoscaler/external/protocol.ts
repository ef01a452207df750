/**
 * cluster-autoscaler's external gRPC cloud provider protocol: its calls, and the messages that they take and give.
 * Only the numbers of fields are on the wire; names are ours where they say it better.
 */
import { type MessageCodec, message } from '../../machinery/protobuf/message.ts'

const string = (number: number) => ({ number, kind: 'string' as const })
const int = (number: number) => ({ number, kind: 'int' as const })
const nothing = message<Record<never, never>>({})

export interface GroupInfo {
  id: string
  minSize: number
  maxSize: number
  debug: string
}
export interface ExternalNode {
  providerID: string
  name: string
  labels: Record<string, string>
  annotations: Record<string, string>
}
export interface ExternalInstance {
  id: string
  status: { state: number; error: { code: string; message: string; class: number } | undefined } | undefined
}
export interface Duration {
  seconds: number
  nanos: number
}
export interface GroupOptions {
  utilizationThreshold: number
  gpuUtilizationThreshold: number
  zeroOrMaxNodeScaling: boolean
  ignoreDaemonSetsUtilization: boolean
  unneeded: Duration | undefined
  unready: Duration | undefined
  provision: Duration | undefined
}

const groupInfo = message<GroupInfo>({ id: string(1), minSize: int(2), maxSize: int(3), debug: string(4) })
const node = message<ExternalNode>({
  providerID: string(1),
  name: string(2),
  labels: { number: 3, kind: 'strings' },
  annotations: { number: 4, kind: 'strings' },
})
const errorInfo = message<{ code: string; message: string; class: number }>({ code: string(1), message: string(2), class: int(3) })
const instanceStatus = message<NonNullable<ExternalInstance['status']>>({ state: int(1), error: { number: 2, kind: errorInfo } })
const instance = message<ExternalInstance>({ id: string(1), status: { number: 2, kind: instanceStatus } })
const duration = message<Duration>({ seconds: int(1), nanos: int(2) })
const groupOptions = message<GroupOptions>({
  utilizationThreshold: { number: 1, kind: 'double' },
  gpuUtilizationThreshold: { number: 2, kind: 'double' },
  zeroOrMaxNodeScaling: { number: 6, kind: 'bool' },
  ignoreDaemonSetsUtilization: { number: 7, kind: 'bool' },
  unneeded: { number: 8, kind: duration },
  unready: { number: 9, kind: duration },
  provision: { number: 10, kind: duration },
})
const ofGroup = message<{ id: string }>({ id: string(1) })
const resize = message<{ delta: number; id: string }>({ delta: int(1), id: string(2) })
const price = message<{ price: number }>({ price: { number: 1, kind: 'double' } })

export interface Call<Q extends object, A extends object> {
  request: MessageCodec<Q>
  response: MessageCodec<A>
}

const call = <Q extends object, A extends object>(request: MessageCodec<Q>, response: MessageCodec<A>): Call<Q, A> => ({ request, response })

export const calls = {
  NodeGroups: call(nothing, message<{ groups: GroupInfo[] }>({ groups: { number: 1, kind: groupInfo, many: true } })),
  NodeGroupForNode: call(
    message<{ node: ExternalNode | undefined }>({ node: { number: 1, kind: node } }),
    message<{ group: GroupInfo | undefined }>({ group: { number: 1, kind: groupInfo } }),
  ),
  PricingNodePrice: call(message<{ node: ExternalNode | undefined }>({ node: { number: 1, kind: node } }), price),
  PricingPodPrice: call(message<{ pod: Uint8Array }>({ pod: { number: 4, kind: 'bytes' } }), price),
  GPULabel: call(nothing, message<{ label: string }>({ label: string(1) })),
  GetAvailableGPUTypes: call(nothing, nothing),
  Cleanup: call(nothing, nothing),
  Refresh: call(nothing, nothing),
  NodeGroupTargetSize: call(ofGroup, message<{ size: number }>({ size: int(1) })),
  NodeGroupIncreaseSize: call(resize, nothing),
  NodeGroupDeleteNodes: call(message<{ nodes: ExternalNode[]; id: string }>({ nodes: { number: 1, kind: node, many: true }, id: string(2) }), nothing),
  NodeGroupDecreaseTargetSize: call(resize, nothing),
  NodeGroupNodes: call(ofGroup, message<{ instances: ExternalInstance[] }>({ instances: { number: 1, kind: instance, many: true } })),
  /** The node is a Kubernetes message; older providers send it in the first field. */
  NodeGroupTemplateNodeInfo: call(
    ofGroup,
    message<{ old: Uint8Array; node: Uint8Array }>({ old: { number: 1, kind: 'bytes' }, node: { number: 2, kind: 'bytes' } }),
  ),
  NodeGroupGetOptions: call(
    message<{ id: string; defaults: GroupOptions | undefined }>({ id: string(1), defaults: { number: 2, kind: groupOptions } }),
    message<{ options: GroupOptions | undefined }>({ options: { number: 1, kind: groupOptions } }),
  ),
}

export type CallName = keyof typeof calls

export const pathOf = (name: CallName): string => `/clusterautoscaler.cloudprovider.v1.externalgrpc.CloudProvider/${name}`

/** States of instances by their numbers. */
export const instanceStates = ['running', 'running', 'creating', 'deleting'] as const
