/** The processes of exec sessions, on this side. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Readable, Writable } from 'node:stream'
import type { Clock } from '../../machinery/clock.ts'
import type { SessionStreams } from '../runtime.ts'
import { programPath } from './command.ts'

/** Output may come after the end of the process, from what it left running: this long a silence ends the session. */
const silence = 1000
/** Output before the process has begun is rare: its beginning is looked for this often then. */
const lookForBegin = 10
const environment = () => ({ PATH: programPath(), LC_ALL: 'C' })

export function spawnPlain(program: string, args: string[], streams: SessionStreams): ChildProcess {
  return spawn(program, args, { stdio: [streams.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'], env: environment() })
}

/** `pidFile` is where crun writes the number of the process inside. */
export function spawnOnTerminal(program: string, args: string[], pidFile: string, streams: SessionStreams): ChildProcess {
  const script = join(import.meta.dirname, 'programs', 'terminal.pl')
  const child = spawn('perl', [script, pidFile, program, ...args], { stdio: [streams.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'], env: environment() })
  const sizes = child.stdio[3] as Writable
  // The session may end while a size is under way.
  sizes.on('error', () => {})
  streams.onResize?.(({ columns, rows }) => sizes.write(`${columns} ${rows}\n`))
  return child
}

/**
 * Joins the streams; resolves when the process has ended and its output was passed on. What comes before it has begun
 * is not its own: it is in `unheard` if it never does.
 */
export function runSession(child: ChildProcess, streams: SessionStreams, clock: Clock, begun: () => boolean): Promise<{ exitCode: number; unheard: Buffer }> {
  const { stdout, stderr, stdin } = child
  const unheard: Buffer[] = []
  const pass = (from: typeof stdout, to: Writable | undefined) => {
    if (from && to) passOnceBegun(from, to, { begun, clock, unheard })
    else from?.resume()
  }
  pass(stdout, streams.stdout)
  pass(stderr, streams.stderr ?? (streams.tty ? streams.stdout : undefined))
  if (stdin) {
    // The process may end before it has read everything.
    stdin.on('error', () => {})
    streams.stdin?.pipe(stdin)
  }
  return new Promise((resolve, reject) => {
    let exitCode = 0
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143)
      if (stdin) streams.stdin?.unpipe(stdin)
      stdin?.destroy()
      const give = () => {
        stdout?.destroy()
        stderr?.destroy()
      }
      let timer = clock.after(silence, give)
      for (const output of [stdout, stderr])
        output?.on('data', () => {
          timer.cancel()
          timer = clock.after(silence, give)
        })
      child.once('close', () => timer.cancel())
    })
    child.once('close', () => resolve({ exitCode, unheard: Buffer.concat(unheard) }))
  })
}

function passOnceBegun(from: Readable, to: Writable, { begun, clock, unheard }: { begun: () => boolean; clock: Clock; unheard: Buffer[] }): void {
  const held: Buffer[] = []
  const open = () => {
    from.off('data', hold)
    from.off('close', close)
    for (const chunk of held) to.write(chunk)
    from.pipe(to, { end: false })
  }
  const look = () => {
    if (from.destroyed) return
    if (begun()) open()
    else clock.after(lookForBegin, look)
  }
  const hold = (chunk: Buffer) => {
    if (held.push(chunk) === 1) look()
  }
  const close = () => {
    if (begun()) for (const chunk of held) to.write(chunk)
    else unheard.push(...held)
  }
  from.on('data', hold)
  from.once('close', close)
}

/** Keeps what is written, up to a limit; the rest is dropped. */
export class Collector extends Writable {
  readonly #chunks: Buffer[] = []
  #left = 16 << 20
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const kept = chunk.subarray(0, this.#left)
    this.#left -= kept.length
    this.#chunks.push(kept)
    done()
  }
  content(): Buffer {
    return Buffer.concat(this.#chunks)
  }
}
