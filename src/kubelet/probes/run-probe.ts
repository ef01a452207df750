import type { V1Probe } from '../../machinery/schema/generated/types.ts'
import { type Runtime, RuntimeError } from '../../runtime/runtime.ts'
import { messageOf } from '../container/start-error.ts'
import { failure, type NetworkProbes, type ProbeResult, type ProbeTarget, portNumber, success, unknown } from './probe.ts'

const maxOutput = 10 * 1024

/** Runs the probe once, whatever way it names. */
export async function runProbe(probe: V1Probe, target: ProbeTarget, runtime: Runtime, network: NetworkProbes): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  const { container, podIP } = target
  try {
    if (probe.exec) return await execProbe(probe.exec.command ?? [], target, runtime, timeoutMs)
    if (probe.httpGet) {
      const { host, path = '/', port, scheme = 'HTTP', httpHeaders = [] } = probe.httpGet
      const request = {
        scheme: scheme === 'HTTPS' ? 'https' : 'http',
        host: host || podIP,
        port: portNumber(container, port),
        path,
        headers: httpHeaders,
      } as const
      return await network.http(target, { ...request, headers: [...httpHeaders] }, timeoutMs)
    }
    if (probe.tcpSocket) return await network.tcp(target, probe.tcpSocket.host || podIP, portNumber(container, probe.tcpSocket.port), timeoutMs)
    if (probe.grpc) return await network.grpc(target, probe.grpc.port, probe.grpc.service ?? '', timeoutMs)
    return unknown(`missing probe handler for ${target.pod.metadata.name}:${container.name}`)
  } catch (error) {
    return unknown(messageOf(error))
  }
}

async function execProbe(command: string[], { containerId }: ProbeTarget, runtime: Runtime, timeoutMs: number): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutMs)
    const output = Buffer.concat([stdout, stderr]).subarray(0, maxOutput).toString()
    return exitCode === 0 ? success(output) : failure(output)
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'DeadlineExceeded')
      return failure(`command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`)
    return unknown(messageOf(error))
  }
}
