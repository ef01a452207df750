/** Runs a further process in a container by `crun exec`, with or without a terminal. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { RuntimeError, type SessionStreams } from '../runtime.ts'
import type { RuntimeContext } from './context.ts'
import { Collector, runSession, spawnOnTerminal, spawnPlain } from './exec-process.ts'
import { readJson, readText, writeJson } from './json-file.ts'
import type { ContainerRecord } from './records.ts'
import type { OciSpec } from './spec/oci.ts'
import { execErrorMessage } from './start-error.ts'

/** Resolves with the exit code. When the signal is aborted the process is killed, and the signal's reason thrown. */
export async function exec(context: RuntimeContext, record: ContainerRecord, command: string[], streams: SessionStreams): Promise<{ exitCode: number }> {
  const { paths, crun, clock } = context
  const { signal } = streams
  signal.throwIfAborted()
  const bundle = paths.bundle(record.id)
  const spec = readJson<OciSpec>(join(bundle, 'config.json'))
  if (!spec) throw new RuntimeError('NotFound', `container "${record.id}" has no bundle`)
  const base = join(bundle, `exec-${clock.uuid()}`)
  const files = { process: `${base}.json`, pid: `${base}.pid`, log: `${base}.log` }
  const env = streams.tty && !spec.process.env.some((entry) => entry.startsWith('TERM=')) ? [...spec.process.env, 'TERM=xterm'] : spec.process.env
  writeJson(files.process, { ...spec.process, args: command, terminal: streams.tty, env })
  const args = [
    ...crun.globalArguments,
    `--log=file:${files.log}`,
    'exec',
    '--process',
    files.process,
    '--pid-file',
    files.pid,
    ...(streams.tty ? ['--tty'] : []),
    record.id,
  ]
  const child = streams.tty ? spawnOnTerminal(crun.program, args, files.pid, streams) : spawnPlain(crun.program, args, streams)
  const kill = () => {
    killProcess(Number(readText(files.pid)))
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  try {
    const begun = () => existsSync(files.pid)
    const { exitCode, unheard } = await runSession(child, streams, clock, begun)
    signal.throwIfAborted()
    const logged = readText(files.log) ?? ''
    if (begun()) {
      // What a process on a terminal says, crun takes for a complaint if it ends before crun has joined the terminals.
      if (streams.tty && logged) streams.stdout?.write(logged.replace(/\n$/, ''))
      return { exitCode }
    }
    if (exitCode !== 0 && logged.trim()) throw new RuntimeError('Unknown', execErrorMessage(logged.trim(), command))
    if (unheard.length > 0) streams.stderr?.write(unheard)
    return { exitCode }
  } finally {
    signal.removeEventListener('abort', kill)
    for (const file of Object.values(files)) rmSync(file, { force: true })
  }
}

/** Throws `DeadlineExceeded` when the time is over. Output is cut at 16 MiB. */
export async function execSync(
  context: RuntimeContext,
  record: ContainerRecord,
  command: string[],
  timeoutMs: number,
): Promise<{ exitCode: number; stdout: Uint8Array; stderr: Uint8Array }> {
  const stdout = new Collector()
  const stderr = new Collector()
  const controller = new AbortController()
  const late = new RuntimeError('DeadlineExceeded', `command ${JSON.stringify(command)} timed out: timeout ${timeoutMs / 1000}s exceeded`)
  const timer = timeoutMs > 0 ? context.clock.after(timeoutMs, () => controller.abort(late)) : undefined
  try {
    const { exitCode } = await exec(context, record, command, { stdout, stderr, tty: false, signal: controller.signal })
    return { exitCode, stdout: stdout.content(), stderr: stderr.content() }
  } finally {
    timer?.cancel()
  }
}

function killProcess(pid: number): void {
  if (!(pid > 0)) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
