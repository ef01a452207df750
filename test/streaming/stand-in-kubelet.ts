/** Serves the sessions of one pod as a kubelet would, with commands played by functions. */
import { spawn } from 'node:child_process'
import { createConnection } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Upgrade } from '../../src/apiserver/request.ts'
import { servePortForward } from '../../src/kubelet/streaming/port-forward.ts'
import { serveRemoteCommand } from '../../src/kubelet/streaming/remote-command.ts'
import type { RemoteCommandOptions, RunRemoteCommand } from '../../src/kubelet/streaming/session.ts'

/** Runs the command on this machine, in place of a container. */
const run =
  (command: string[]): RunRemoteCommand =>
  async ({ stdin, stdout, stderr, onResize, signal }) => {
    if (command[0] === 'size') {
      const size = await new Promise<{ columns: number; rows: number }>((resolve) => onResize?.(resolve))
      stdout?.write(`${size.columns}x${size.rows}\n`)
      return { exitCode: 0 }
    }
    if (command[0] === 'missing') throw new Error('no such container')
    const child = spawn(command[0] ?? '', command.slice(1), { signal, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
    if (stdin && child.stdin) pipeline(stdin, child.stdin).catch(() => {})
    const outputs = [
      stdout && child.stdout ? pipeline(child.stdout, stdout, { end: false }) : undefined,
      stderr && child.stderr ? pipeline(child.stderr, stderr, { end: false }) : undefined,
    ]
    const exitCode = await new Promise<number>((resolve, reject) => child.on('error', reject).on('close', (code) => resolve(code ?? 137)))
    await Promise.all(outputs)
    return { exitCode }
  }

/** The same query names serve the API server's form (`stdin=true`) and the kubelet's (`input=1`). */
function options(query: URLSearchParams): RemoteCommandOptions {
  const set = (...names: string[]) => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''))
  const tty = set('tty')
  return { stdin: set('stdin', 'input'), stdout: set('stdout', 'output'), stderr: set('stderr', 'error') && !tty, tty }
}

export async function serveSession(upgrade: Upgrade): Promise<void> {
  const url = new URL(upgrade.request.url ?? '', 'http://pod')
  if (/portforward/i.test(url.pathname)) {
    const connect = (port: number) =>
      new Promise<Duplex>((resolve, reject) => {
        const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket)).on('error', reject)
      })
    return await servePortForward(upgrade, url.searchParams.getAll('port').map(Number), connect)
  }
  const command = url.pathname.includes('attach') ? ['sh', '-c', 'echo attached; cat'] : url.searchParams.getAll('command')
  await serveRemoteCommand(upgrade, options(url.searchParams), run(command))
}
