/** Runs the programs that do what Node cannot: mounts, namespaces, containers. */
import { spawn } from 'node:child_process'

/** Where the programs are, also for a user whose PATH lacks the system directories. */
export const programPath = (): string => `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`

export interface CommandResult {
  code: number
  stdout: Buffer
  stderr: Buffer
}

export interface CommandOptions {
  cwd?: string
  env?: Record<string, string>
  input?: string
  signal?: AbortSignal
}

export class CommandError extends Error {
  readonly code: number
  readonly stderr: string
  constructor(program: string, code: number, stderr: string) {
    super(`${program}: ${stderr.trim() || `exit code ${code}`}`)
    this.name = 'CommandError'
    this.code = code
    this.stderr = stderr.trim()
  }
}

/** {@link runCommand}, or another way to do the same. */
export type RunProgram = (program: string, args: string[], options?: CommandOptions) => Promise<CommandResult>

/** Resolves whatever the exit code is; a death by signal counts as 128 and its number. */
export function runCommand(program: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.signal ? { signal: options.signal, killSignal: 'SIGKILL' } : {}),
      env: { PATH: programPath(), LC_ALL: 'C', ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    // A program that ends before it has read all of its input says why by its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve({ code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) })
    })
  })
}

/** Throws {@link CommandError} with what the program said unless it ended with 0. Returns its output. */
export async function command(program: string, args: string[], options: CommandOptions = {}, run: RunProgram = runCommand): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options)
  // Some complain on their output alone.
  if (code !== 0) throw new CommandError(program, code, stderr.toString().trim() || stdout.toString().trim().split('\n').slice(-10).join('\n'))
  return stdout.toString()
}
