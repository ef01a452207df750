/**
 * One listening socket for the kubelets of all simulated nodes: the kernel takes their addresses for its own, and the one
 * that a connection came to says whose it is.
 */
import { createServer, type Socket } from 'node:net'
import type { Logger } from '../../client/component.ts'
import type { RunCommand } from '../../network/command.ts'
import { simulatedIndex, simulatedNodeCIDR } from './simulated-addresses.ts'

/** A real node of this machine has upstream's 10250. */
export const simulatedKubeletPort = 10_251

export interface KubeletDoorOptions {
  /** A connection to the node with this number, paused. */
  accept(index: number, socket: Socket): void
  run: RunCommand
  log: Logger
}

/** Returns what closes it; connections that stand are their kubelets' affair. */
export async function openKubeletDoor({ accept, run, log }: KubeletDoorOptions): Promise<() => Promise<void>> {
  await run('ip', ['route', 'replace', 'local', simulatedNodeCIDR, 'dev', 'lo'])
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const index = simulatedIndex(socket.localAddress ?? '')
    if (index === undefined) socket.destroy()
    else accept(index, socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(simulatedKubeletPort, '0.0.0.0', resolve)
  })
  server.on('error', (error) => log.warn('nobody can connect to the kubelets of simulated nodes any more', { error: String(error) }))
  return () => new Promise((resolve) => server.close(() => resolve()))
}
