/** Runs a shell line on a terminal of its own (util-linux `script`), as a person at a keyboard does. */
import { spawn } from 'node:child_process'

export interface Terminal {
  /** All that was shown so far; lines end in \r\n. */
  shown(): string
  type(text: string): void
  /** The exit code. */
  readonly ended: Promise<number>
  close(): void
}

export function onTerminal(line: string, env: Record<string, string>, size = { rows: 40, columns: 100 }): Terminal {
  const words = ['-qec', `stty rows ${size.rows} cols ${size.columns}; ${line}`, '/dev/null']
  const child = spawn('script', words, { env: { PATH: process.env.PATH ?? '', ...env } })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    shown += text
  })
  // It may end before it has read what was typed.
  child.stdin.on('error', () => {})
  return {
    shown: () => shown,
    type: (text) => void child.stdin.write(text),
    ended: new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 1))
    }),
    close: () => void child.kill(),
  }
}
