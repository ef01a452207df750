/** What a probe is run against, and what it says. */
import type { V1Container, V1ContainerPort, V1Pod } from '../../machinery/schema/generated/types.ts'

export interface ProbeTarget {
  pod: V1Pod
  container: V1Container
  containerId: string
  podIP: string
}

/** `unknown`: it could not be run; nothing is concluded from that. */
export interface ProbeResult {
  result: 'success' | 'failure' | 'unknown'
  output: string
  /** Of a failure: somebody answered, but not as a probe wants it. */
  answered?: boolean
}

/** Ways to probe over the network; a node without one answers in its own way. */
export interface NetworkProbes {
  http(target: ProbeTarget, request: HttpProbeRequest, timeoutMs: number): Promise<ProbeResult>
  tcp(target: ProbeTarget, host: string, port: number, timeoutMs: number): Promise<ProbeResult>
  grpc(target: ProbeTarget, port: number, service: string, timeoutMs: number): Promise<ProbeResult>
}

export interface HttpProbeRequest {
  scheme: 'http' | 'https'
  host: string
  port: number
  path: string
  headers: { name: string; value: string }[]
}

export const success = (output = ''): ProbeResult => ({ result: 'success', output })
export const failure = (output: string): ProbeResult => ({ result: 'failure', output })
export const unknown = (output: string): ProbeResult => ({ result: 'unknown', output })

/** A port by number, or by the name that the container gives it; throws when there is none. */
export function portNumber(container: V1Container, port: number | string): number {
  const number = Number(port)
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number
  const named = container.ports?.find((one: V1ContainerPort) => one.name === port)
  if (!named) throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${JSON.stringify(container.name)}`)
  return named.containerPort
}
