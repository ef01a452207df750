/**
 * A connection to a port of a pod. The node has a route to its pods, so that the pod's address is tried first, at no
 * cost; a process that listens on the pod's loopback alone is reached from inside the pod's network namespace.
 */
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { RuntimeError } from '../runtime.ts'
import { ChildConnection } from './child-connection.ts'
import { programPath } from './command.ts'

const bridge = join(import.meta.dirname, 'programs', 'bridge.pl')

/** `netns` is undefined for the node's own network. */
export async function portForward(sandbox: { id: string; ips: string[]; netns: string | undefined }, port: number): Promise<Duplex> {
  const hosts = sandbox.netns === undefined ? ['127.0.0.1', '::1'] : sandbox.ips
  let refusal: unknown
  for (const host of hosts) {
    try {
      return await connected(host, port)
    } catch (error) {
      refusal = error
    }
  }
  if (sandbox.netns !== undefined) return insideNamespace(sandbox.netns, sandbox.id, port)
  throw refused(sandbox.id, port, refusal instanceof Error ? refusal.message : String(refusal))
}

const refused = (id: string, port: number, why: string) =>
  new RuntimeError('Unavailable', `failed to connect to localhost:${port} inside namespace "${id}", IPv4: dial tcp4 127.0.0.1:${port}: connect: ${why}`)

function connected(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, timeout: 3000 })
    const late = () => socket.destroy(new Error('timed out'))
    socket.once('timeout', late)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.off('timeout', late)
      socket.setTimeout(0)
      resolve(socket)
    })
  })
}

async function insideNamespace(netns: string, id: string, port: number): Promise<Duplex> {
  const child = spawn('nsenter', [`--net=${netns}`, 'perl', bridge, 'tcp', String(port)], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { PATH: programPath(), LC_ALL: 'C' },
  })
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  const told = child.stdio[3] as Readable
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    told.once('data', () => resolve())
    child.once('close', () => reject(refused(id, port, complaint.trim().toLowerCase())))
  })
  told.destroy()
  return new ChildConnection(child)
}
