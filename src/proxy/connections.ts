import { CommandError, type RunCommand } from '../network/command.ts'
import type { Element } from './element.ts'

/** A UDP flow that connection tracking may hold: from a frontend to an endpoint. */
interface Flow {
  /** Absent for a port of the node. */
  address?: string
  port: string
  endpoint: string
}

/**
 * UDP has no end of a connection: who keeps sending from the same port would go on reaching an endpoint that is
 * gone for as long as the kernel remembers the flow. So flows to endpoints that went are forgotten here.
 */
export function staleFlows(before: readonly Element[], after: readonly Element[]): Flow[] {
  const kept = flows(after)
  return [...flows(before)].filter(([key]) => !kept.has(key)).map(([, flow]) => flow)
}

/** By a key, so that they can be compared. */
function flows(elements: readonly Element[]): Map<string, Flow> {
  const found = new Map<string, Flow>()
  for (const { container, key, value } of elements) {
    if (!container.endsWith('endpoints') || !value.includes(' . ') || !/(^| )udp /.test(key)) continue
    const parts = key.split(' . ')
    const endpoint = value.split(' . ')[0] ?? ''
    const flow = container.includes('nodeport') ? { port: parts[1] ?? '', endpoint } : { address: parts[0] ?? '', port: parts[2] ?? '', endpoint }
    found.set(`${flow.address ?? ''} ${flow.port} ${flow.endpoint}`, flow)
  }
  return found
}

/** Returns false when the program that can do it is not installed. */
export async function forgetFlow({ address, port, endpoint }: Flow, run: RunCommand): Promise<boolean> {
  try {
    await run('conntrack', ['-D', '-p', 'udp', ...(address ? ['--orig-dst', address] : []), '--orig-port-dst', port, '--reply-src', endpoint])
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    if (error.exitCode === undefined) return false
    // Status 1 with "0 flow entries" is: nothing was remembered.
    if (!/0 flow entries/.test(error.stderr)) throw error
  }
  return true
}
