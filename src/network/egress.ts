import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Clock } from '../machinery/clock.ts'
import { type RunCommand, runCommand } from './command.ts'

export interface EgressOptions {
  /** The network namespace that gets a way out: `/proc/PID/ns/net`, or a bound path. */
  netnsPath: string
  /** The namespace of the host's network, where this process is not in it: a path that is still good. */
  hostNetnsPath?: string
  clock: Clock
  run?: RunCommand
}

/** The way out of a cluster. */
export interface Egress {
  readonly interfaceName: string
  /** Answers names as the host does, whatever its own server is: also one on its loopback. */
  readonly nameserver: string
  /** Resolves when the helper has ended; the interface goes with it. */
  stop(): Promise<void>
}

/** Why pods cannot reach what lies outside, in one sentence for people. */
export interface NoEgress {
  readonly missing: string
}

const interfaceName = 'egress0'
const address = '192.168.127.2'
const gateway = '192.168.127.1'

/**
 * Lets traffic out of a network namespace through a helper in user space, which opens an ordinary socket of the
 * host for each connection: nothing of the host's interfaces, routes or firewall changes, and the host's loopback
 * stays out of reach. Without the helper the cluster goes on without a way out.
 */
export async function startEgress({ netnsPath, hostNetnsPath, clock, run = runCommand }: EgressOptions): Promise<Egress | NoEgress> {
  const canOpen = await access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!canOpen) return { missing: 'Pods cannot reach what lies outside the cluster: /dev/net/tun cannot be opened here.' }
  // A server that was killed left its helper running: it is found again by its interface.
  // Without the means to ask, the attempt below says what is missing.
  if (await hasInterface(netnsPath, run).catch(() => false)) return { interfaceName, nameserver: gateway, stop: async () => {} }
  // As root it would become nobody, who may not enter the namespace; it still locks itself up afterwards.
  const user = process.getuid?.() === 0 ? ['--runas', '0:0'] : []
  const addresses = ['-4', '--config-net', '-I', interfaceName, '-a', address, '-n', '24', '-g', gateway, '--dns-forward', gateway]
  const closed = ['--no-map-gw', '-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none']
  const command = ['pasta', '-f', '-q', ...user, ...addresses, ...closed, '--netns-only', '--netns', netnsPath]
  const [program = '', ...args] = hostNetnsPath ? ['nsenter', `--net=${hostNetnsPath}`, ...command] : command
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = failure(child)
  for (let tries = 0; tries < 100; tries++) {
    const reason = await Promise.race([ended, clock.sleep(20).then(() => undefined)])
    if (reason !== undefined) return { missing: reason }
    if (await hasInterface(netnsPath, run)) return { interfaceName, nameserver: gateway, stop: () => stop(child, ended) }
  }
  await stop(child, ended)
  return { missing: 'Pods cannot reach what lies outside the cluster: pasta did not make its interface in time.' }
}

function failure(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const lastLine = () =>
    said
      .trim()
      .split('\n')
      .findLast((line) => !line.includes('syslog')) ?? 'it ended'
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'pasta is not installed (Debian package passt)' : error.message
      resolve(`Pods cannot reach what lies outside the cluster: ${reason}.`)
    })
    child.once('close', () => resolve(`Pods cannot reach what lies outside the cluster: pasta: ${lastLine()}.`))
  })
}

async function hasInterface(netnsPath: string, run: RunCommand): Promise<boolean> {
  const text = await run('nsenter', [`--net=${netnsPath}`, 'ip', '-j', 'route', 'show', 'default'])
  return (JSON.parse(text || '[]') as { dev?: string }[]).some(({ dev }) => dev === interfaceName)
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  await ended
}
