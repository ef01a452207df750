/** What a Service keeps of its addresses and node ports when it is written again, and what it loses with its type. */
import type { V1Service, V1ServicePort, V1ServiceSpec } from '../../machinery/schema/generated/types.ts'
import { sameJson } from '../equality.ts'

const needsClusterIp = ({ type }: V1ServiceSpec): boolean => type !== 'ExternalName'
const needsNodePort = ({ type, allocateLoadBalancerNodePorts }: V1ServiceSpec): boolean =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
const isExternallyReached = ({ type }: V1ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer'

/** A client that leaves out what was allocated keeps it. */
export function keepAllocated({ spec: draft }: V1Service, { spec: stored }: V1Service): void {
  if (needsClusterIp(draft) && needsClusterIp(stored)) {
    if (!draft.clusterIP && stored.clusterIP) draft.clusterIP = stored.clusterIP
    if (!draft.clusterIPs?.length && draft.clusterIP === stored.clusterIP && stored.clusterIPs) draft.clusterIPs = stored.clusterIPs
    draft.ipFamilies ??= stored.ipFamilies
    draft.ipFamilyPolicy ??= stored.ipFamilyPolicy
  }
  if (needsNodePort(draft) && needsNodePort(stored)) {
    const taken = new Set(draft.ports?.map((port) => port.nodePort).filter(Boolean))
    for (const port of draft.ports ?? []) {
      if (port.nodePort) continue
      const before = stored.ports?.find((one) => one.protocol === port.protocol && one.port === port.port)?.nodePort
      if (before && !taken.has(before)) {
        port.nodePort = before
        taken.add(before)
      }
    }
  }
  if (draft.externalTrafficPolicy === 'Local' && stored.healthCheckNodePort && draft.type === 'LoadBalancer')
    draft.healthCheckNodePort ??= stored.healthCheckNodePort
}

/** What the new type has no use for goes, unless the client set it in this very write. */
export function dropTypeDependent({ spec: draft }: V1Service, { spec: stored }: V1Service): void {
  if (needsClusterIp(stored) && !needsClusterIp(draft) && draft.clusterIP === stored.clusterIP) {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) delete draft[field]
  }
  if (needsNodePort(stored) && !needsNodePort(draft) && sameJson(nodePorts(draft), nodePorts(stored)))
    for (const port of draft.ports ?? []) delete port.nodePort
  if (isExternallyReached(stored) && !isExternallyReached(draft) && draft.externalTrafficPolicy === stored.externalTrafficPolicy)
    delete draft.externalTrafficPolicy
  if (stored.type === 'LoadBalancer' && draft.type !== 'LoadBalancer') {
    for (const field of ['healthCheckNodePort', 'allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const)
      if (sameJson(draft[field], stored[field])) delete draft[field]
  }
}

const nodePorts = (spec: V1ServiceSpec): (number | undefined)[] => (spec.ports ?? []).map((port: V1ServicePort) => port.nodePort)

/** `clusterIP` and the first of `clusterIPs` are one; whoever writes either need not know the other. */
export function joinClusterIps({ spec: draft }: V1Service, stored?: V1Service): void {
  const before = stored?.spec.clusterIP
  if (!stored) {
    if (draft.clusterIP && !draft.clusterIPs?.length) draft.clusterIPs = [draft.clusterIP]
    else if (!draft.clusterIP && draft.clusterIPs?.[0]) draft.clusterIP = draft.clusterIPs[0]
    return
  }
  if (draft.clusterIP !== before && (!draft.clusterIPs?.length || sameJson(draft.clusterIPs, stored.spec.clusterIPs))) {
    if (draft.clusterIP) draft.clusterIPs = [draft.clusterIP]
    else delete draft.clusterIPs
  } else if (draft.clusterIP === before && !sameJson(draft.clusterIPs, stored.spec.clusterIPs)) {
    if (draft.clusterIPs?.[0]) draft.clusterIP = draft.clusterIPs[0]
  }
}

/** One family, as the cluster has; but where others write the endpoints of what has no address of its own, either. */
export function defaultFamilies({ spec }: V1Service): void {
  const free = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= free ? 'RequireDualStack' : 'SingleStack'
  const families = spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4']
  spec.ipFamilies = free && families.length === 1 && spec.ipFamilyPolicy !== 'SingleStack' ? [...families, families[0] === 'IPv4' ? 'IPv6' : 'IPv4'] : families
}
