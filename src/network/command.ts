import { spawn } from 'node:child_process'

/** A program of the system ended with another status than 0. */
export class CommandError extends Error {
  readonly exitCode: number | undefined
  readonly stderr: string

  constructor(command: string, exitCode: number | undefined, stderr: string, options?: ErrorOptions) {
    super(`${command}: ${stderr.trim() || `ended with status ${exitCode}`}`, options)
    this.name = 'CommandError'
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/** Runs a program to its end and returns what it printed. Injected where a test wants to see the calls. */
export type RunCommand = (command: string, args: string[], input?: string) => Promise<string>

export const runCommand: RunCommand = (command, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    // A program that ends before it has read its input breaks the pipe; its exit status tells the reason.
    child.stdin.on('error', () => undefined)
    child.on('error', (error) => reject(new CommandError(command, undefined, error.message, { cause: error })))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString())
      const stderr = Buffer.concat(err).toString()
      reject(new CommandError(command, code ?? undefined, stderr || (signal ? `ended by ${signal}` : '')))
    })
    child.stdin.end(input ?? '')
  })
