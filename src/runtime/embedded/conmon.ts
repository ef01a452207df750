/**
 * conmon watches one container: it is the parent of the container's process, writes its log, keeps its terminal, and
 * leaves a file when it ends. It goes on when this process ends.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { programPath } from './command.ts'
import type { Crun } from './crun.ts'

export interface MonitorOptions {
  id: string
  bundle: string
  logPath: string
  exitDir: string
  socketDir: string
  terminal: boolean
  stdin: boolean
  /** Standard input stays open when the last client leaves. */
  leaveStdinOpen: boolean
}

export interface Monitored {
  pid: number
  monitorPid: number
}

/** conmon's name for the directory of a container's attach socket: short, since socket paths are. */
export const shortName = (id: string): string => id.slice(0, 13)

/** Creates the container, not started yet. Throws what crun complained about. */
export async function createMonitored(crun: Crun, crunPath: string, options: MonitorOptions): Promise<Monitored> {
  mkdirSync(dirname(options.logPath), { recursive: true })
  const monitorFile = join(options.bundle, 'conmon.pid')
  const args = [
    ...['--api-version', '1', '--cid', options.id, '--cuuid', shortName(options.id), '--name', shortName(options.id)],
    ...['--bundle', options.bundle, '--persist-dir', options.bundle, '--exit-dir', options.exitDir, '--socket-dir-path', options.socketDir],
    ...['--conmon-pidfile', monitorFile, '--container-pidfile', join(options.bundle, 'pid')],
    ...['--log-path', `k8s-file:${options.logPath}`, '--log-level', 'error', '--no-sync-log'],
    ...['--runtime', crunPath, ...crun.globalArguments.flatMap((argument) => ['--runtime-arg', argument])],
    ...(options.terminal ? ['--terminal'] : []),
    ...(options.stdin ? ['--stdin'] : []),
    ...(options.leaveStdinOpen ? ['--leave-stdin-open'] : []),
  ]
  const child = spawn('conmon', args, {
    cwd: options.bundle,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    // It refuses arguments that are no text in its locale, and a data directory may have any name.
    env: { PATH: programPath(), _OCI_SYNCPIPE: '3', LC_ALL: 'C.UTF-8' },
  })
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  // What we start writes the number of the one that stays, and ends: not always before that one has spoken.
  const handedOver = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const pipe = child.stdio[3] as Duplex
  try {
    const { data, message } = await new Promise<{ data: number; message?: string }>((resolve, reject) => {
      let text = ''
      child.once('error', reject)
      pipe.once('error', reject)
      pipe.on('data', (chunk) => {
        text += chunk
        if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))))
      })
      pipe.once('end', () => reject(new Error(complaint.trim() || 'conmon ended before the container was created')))
    })
    if (data <= 0) throw new Error(message?.trim() || complaint.trim() || `conmon failed: ${data}`)
    await handedOver
    return { pid: data, monitorPid: Number(readFileSync(monitorFile, 'utf8')) }
  } finally {
    pipe.destroy()
    child.stderr?.destroy()
  }
}
