/**
 * Tests that need a network: the file runs again inside network, mount and process namespaces of its own, with no
 * way out, and all that it made goes with its first process.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/**
 * Registers `define`'s tests inside the namespaces, and outside one test that stands for them. Ports to `listen` on
 * are open as descriptors 3 and up, with nobody accepting.
 */
export function inNetworkNamespace(url: string, define: () => void, { listen = [] }: { listen?: number[] } = {}): void {
  if (process.env.SKIFF_TEST_NETWORK === url) return define()
  const file = fileURLToPath(url)
  const skip = process.getuid?.() === 0 ? false : 'needs root'
  test(`${basename(file)} in a network of its own`, { skip, timeout: 120_000 }, async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const script = `mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"`
    const args = [
      '--net',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-ec',
      script,
      'sh',
      process.execPath,
      ...(listen.length > 0 ? [withSockets, file, ...listen.map(String)] : ['--test-reporter=spec', file]),
    ]
    const child = spawn('unshare', args, { env: { ...env, SKIFF_TEST_NETWORK: url }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    assert.equal(code, 0, output)
    if (process.env.SKIFF_TEST_VERBOSE) process.stdout.write(output)
  })
}

const withSockets = fileURLToPath(new URL('with-sockets.ts', import.meta.url))

/** A pod's network namespace with a server in it that answers its own name over HTTP (port 8080) and UDP (8081). */
export interface TestPod {
  name: string
  netnsPath: string
  /** Runs a program in the pod; what it prints. Throws when it fails. */
  exec(command: string, ...args: string[]): string
  /** SIGKILL, or as a pod ends: what is under way is answered. */
  stop(signal?: 'SIGTERM'): Promise<void>
}

export function makeNetns(name: string): string {
  execFileSync('ip', ['netns', 'add', name])
  return `/run/netns/${name}`
}

export async function startTestPod(name: string, netnsPath = makeNetns(name)): Promise<TestPod> {
  const server = await serve(['ip', 'netns', 'exec', name, process.execPath, fileURLToPath(new URL('answer-name.ts', import.meta.url)), name])
  return {
    name,
    netnsPath,
    exec: (command, ...args) => execFileSync('ip', ['netns', 'exec', name, command, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    stop: (signal) => end(server, signal),
  }
}

/** Starts a server that prints a line when it listens. */
export async function serve([command = '', ...args]: string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)))
  })
  return child
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await exited
}

/** Asks again until the condition holds. */
export async function eventually<T>(what: string, ask: () => T | Promise<T>, milliseconds = 10_000): Promise<NonNullable<T>> {
  const end = Date.now() + milliseconds
  for (;;) {
    let last: unknown
    try {
      last = await ask()
      if (last) return last as NonNullable<T>
    } catch (error) {
      last = error
    }
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
