import type { Clock } from '../../machinery/clock.ts'
import type { V1LifecycleHandler } from '../../machinery/schema/generated/types.ts'
import { type Runtime, RuntimeError } from '../../runtime/runtime.ts'
import { type NetworkProbes, type ProbeTarget, portNumber } from '../probes/probe.ts'

const userAgent = { name: 'User-Agent', value: 'kube-lifecycle/1.36' }

/** Runs a postStart or preStop hook; throws when it fails or its time is over. */
export async function runHook(
  handler: V1LifecycleHandler,
  target: ProbeTarget,
  { runtime, network, clock, timeoutMs, signal }: { runtime: Runtime; network: NetworkProbes; clock: Clock; timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  if (handler.exec) {
    const command = handler.exec.command ?? []
    // No time of its own: as long as the pod's grace lasts, or for postStart as long as it takes.
    const { exitCode, stdout, stderr } = await runtime.execSync(target.containerId, command, timeoutMs)
    if (exitCode !== 0)
      throw new RuntimeError('Unknown', `command '${command.join(' ')}' exited with ${exitCode}: ${Buffer.concat([stdout, stderr]).toString()}`)
  } else if (handler.httpGet) {
    const { host, path = '/', port, scheme = 'HTTP', httpHeaders = [] } = handler.httpGet
    const request = {
      scheme: scheme === 'HTTPS' ? ('https' as const) : ('http' as const),
      host: host || target.podIP,
      port: portNumber(target.container, port),
      path,
      headers: httpHeaders.some(({ name }) => name.toLowerCase() === 'user-agent') ? [...httpHeaders] : [...httpHeaders, userAgent],
    }
    const { result, output, answered } = await network.http(target, request, timeoutMs > 0 ? timeoutMs : 30_000)
    // It is told, and has answered: what it thinks of that is its own affair, as upstream.
    if (result !== 'success' && !answered) throw new RuntimeError('Unknown', output)
  } else if (handler.sleep) await clock.sleep(Math.min(handler.sleep.seconds * 1000, timeoutMs > 0 ? timeoutMs : Number.POSITIVE_INFINITY), signal)
}
