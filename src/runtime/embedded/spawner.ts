/**
 * Starts programs by way of a small process. To start one, the kernel copies the tables of a process's memory and
 * holds it meanwhile; the server is large, and serves the API with the same thread. A pod takes a dozen programs.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type CommandOptions, type CommandResult, programPath, type RunProgram, runCommand } from './command.ts'

export interface Spawner {
  readonly run: RunProgram
  close(): void
}

interface Waiting {
  resolve(result: CommandResult): void
  reject(error: Error): void
}

/** What a pipe takes at once; longer inputs go the direct way. */
const mostInput = 32 * 1024

/** A helper that was killed is replaced when the next program is to start. */
export function startSpawner(): Spawner {
  let helper = startHelper()
  let closed = false
  return {
    run(program, args, options = {}) {
      if (closed || options.signal || (options.input?.length ?? 0) > mostInput) return runCommand(program, args, options)
      if (helper.state === 'ended') helper = startHelper()
      return helper.state === 'running' ? helper.run(program, args, options) : runCommand(program, args, options)
    },
    close() {
      closed = true
      helper.end()
    },
  }
}

interface Helper {
  /** One that leaves before it ever answered (there is no perl) would do so again: it is of no use. */
  readonly state: 'running' | 'ended' | 'useless'
  run(program: string, args: string[], options: CommandOptions): Promise<CommandResult>
  end(): void
}

function startHelper(): Helper {
  const child: ChildProcessWithoutNullStreams = spawn('perl', [join(import.meta.dirname, 'programs/spawner.pl')], {
    env: { PATH: programPath(), LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const waiting = new Map<number, Waiting>()
  let next = 1
  let state: Helper['state'] = 'running'
  let answered = false
  let received: Buffer = Buffer.alloc(0)

  const ended = (killed: boolean) => {
    state = killed || answered ? 'ended' : 'useless'
    // Whether they have done their work nobody knows.
    for (const { reject } of waiting.values()) reject(new Error('the process that starts programs has ended'))
    waiting.clear()
  }
  child.once('error', () => ended(false))
  child.once('exit', (_, signal) => ended(signal !== null))
  child.stdin.on('error', () => {})
  child.stderr.resume()
  child.stdout.on('data', (chunk: Buffer) => {
    answered = true
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    received = settle(received, waiting)
  })

  return {
    get state() {
      return state
    },
    run(program, args, options) {
      return new Promise((resolve, reject) => {
        const id = next++
        waiting.set(id, { resolve, reject })
        child.stdin.write(requestOf(id, program, args, options))
      })
    },
    end() {
      child.stdin.end()
    },
  }
}

function requestOf(id: number, program: string, args: string[], options: CommandOptions): Buffer {
  const environment = Object.entries({ PATH: programPath(), LC_ALL: 'C', ...options.env }).map(([name, value]) => `${name}=${value}`)
  const fields = [String(id), options.cwd ?? '', options.input ?? '', String(args.length + 1), program, ...args, ...environment]
  const body = Buffer.from(fields.join('\0'))
  return Buffer.concat([Buffer.from(`${body.length}\n`), body])
}

/** Tells those whose answers are whole; returns what is left. */
function settle(received: Buffer, waiting: Map<number, Waiting>): Buffer {
  let rest = received
  for (;;) {
    const end = rest.indexOf(10)
    if (end < 0) return rest
    const [id = 0, code = 1, outputBytes = 0, errorBytes = 0] = rest.toString('latin1', 0, end).split(' ').map(Number)
    const last = end + 1 + outputBytes + errorBytes
    if (rest.length < last) return rest
    const stdout = rest.subarray(end + 1, end + 1 + outputBytes)
    waiting.get(id)?.resolve({ code, stdout, stderr: rest.subarray(end + 1 + outputBytes, last) })
    waiting.delete(id)
    rest = rest.subarray(last)
  }
}
