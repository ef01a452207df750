/** Ports of the node that pods ask for; each can be given once. */
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { isSidecar } from './pod-requests.ts'

export interface HostPort {
  protocol: string
  /** `0.0.0.0` is every address of the node. */
  ip: string
  port: number
}

/** Of the containers that run all the time. */
export function hostPortsOf(pod: V1Pod): HostPort[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]
  return containers.flatMap((container) =>
    (container.ports ?? []).flatMap((port) => (port.hostPort ? [{ protocol: port.protocol ?? 'TCP', ip: port.hostIP || '0.0.0.0', port: port.hostPort }] : [])),
  )
}

export const hostPortsCollide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
