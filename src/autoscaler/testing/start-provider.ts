import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Starts `provider-process.ts`; resolves when it listens. `networkOf`: a process, in whose network it is to be. */
export async function startProvider(directory?: string, networkOf?: number): Promise<{ address: string; child: ChildProcess }> {
  const words = [process.execPath, join(import.meta.dirname, 'provider-process.ts'), ...(directory === undefined ? [] : [directory])]
  const [program = '', ...rest] = networkOf === undefined ? words : ['nsenter', '-t', String(networkOf), '-n', ...words]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer]
  return { address: `127.0.0.1:${line.toString().trim()}`, child }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  child.kill(signal)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
