/** Joins a session with the container's own process, through conmon's socket. */
import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { RuntimeError, type SessionStreams } from '../runtime.ts'
import { programPath } from './command.ts'
import type { RuntimeContext } from './context.ts'
import { runSession } from './exec-process.ts'
import type { ContainerRecord } from './records.ts'

const bridge = join(import.meta.dirname, 'programs', 'bridge.pl')

/** Resolves when the container has ended or the signal is aborted; the container goes on then. */
export async function attach(context: RuntimeContext, record: ContainerRecord, streams: SessionStreams): Promise<void> {
  const bundle = context.paths.bundle(record.id)
  const withInput = streams.stdin !== undefined && record.config.stdin
  const child = spawn('perl', [bridge, 'attach', join(bundle, 'attach'), ...(withInput ? ['stdin'] : [])], {
    stdio: [withInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    env: { PATH: programPath(), LC_ALL: 'C' },
  })
  if (record.config.tty)
    streams.onResize?.(({ columns, rows }) => {
      tellMonitor(context, record, `1 ${rows} ${columns}\n`).catch((error) => context.log(`the terminal of container ${record.id} could not be resized`, error))
    })
  const leave = () => child.kill('SIGKILL')
  streams.signal.addEventListener('abort', leave, { once: true })
  if (streams.signal.aborted) leave()
  try {
    const { stdin: _, ...outputs } = streams
    const { exitCode } = await runSession(child, withInput ? streams : outputs, context.clock, () => true)
    if (exitCode !== 0 && !streams.signal.aborted) throw new RuntimeError('Unknown', `failed to attach to container "${record.id}": exit code ${exitCode}`)
  } finally {
    streams.signal.removeEventListener('abort', leave)
  }
}

/** conmon opens the log anew: after it was renamed. */
export function reopenLog(context: RuntimeContext, record: ContainerRecord): Promise<void> {
  return tellMonitor(context, record, '2 0 0\n')
}

async function tellMonitor(context: RuntimeContext, record: ContainerRecord, message: string): Promise<void> {
  // Without a reader, opening fails at once instead of waiting for one.
  const fifo = await open(join(context.paths.bundle(record.id), 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK)
  try {
    await fifo.write(message)
  } finally {
    await fifo.close()
  }
}
