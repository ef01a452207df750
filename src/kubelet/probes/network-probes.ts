import type { Clock } from '../../machinery/clock.ts'
import { probeGrpc } from './grpc-probe.ts'
import { probeHttp } from './http-probe.ts'
import { failure, type NetworkProbes, success } from './probe.ts'
import { probeTcp } from './tcp-probe.ts'

/** Over the network that the kubelet itself stands in. */
export const networkProbes = (clock: Clock): NetworkProbes => ({
  http: (_, request, timeoutMs) => probeHttp(clock, request, timeoutMs),
  tcp: (_, host, port, timeoutMs) => probeTcp(clock, host, port, timeoutMs),
  grpc: ({ podIP }, port, service, timeoutMs) => probeGrpc(clock, podIP, port, service, timeoutMs),
})

/** As the life of the simulated container says; there is nothing to connect to. */
export function simulatedProbes(runtime: { healthy(containerId: string): boolean }): NetworkProbes {
  const ask = (containerId: string, otherwise: string) => (runtime.healthy(containerId) ? success() : failure(otherwise))
  return {
    http: async ({ containerId }) => ask(containerId, 'HTTP probe failed with statuscode: 503'),
    tcp: async ({ containerId }, host, port) => ask(containerId, `dial tcp ${host}:${port}: connect: connection refused`),
    grpc: async ({ containerId }) => ask(containerId, 'service unhealthy (responded with "NOT_SERVING")'),
  }
}
