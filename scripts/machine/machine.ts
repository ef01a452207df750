/** A machine that does one job and ends. Its disks are as they were before, whatever the job did. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Machine {
  kernel: string
  systemDisk: string
  workDisk: string
  memoryMiB: number
  /** Its own: what it says while it starts, what has changed on its disks, and the job's end are written there. */
  directory: string
}

/** Runs a shell script in the work tree and passes on what it says. Resolves with its exit code. */
export async function runInMachine({ kernel, systemDisk, workDisk, memoryMiB, directory }: Machine, script: string): Promise<number> {
  const at = (name: string) => join(directory, name)
  writeFileSync(at('job'), script)
  const console = openSync(at('console'), 'w')
  const machine = spawn(
    'unshare',
    [
      // Whatever it has started ends with it.
      ...[
        '--pid',
        '--fork',
        '--kill-child',
        kernel,
        `mem=${memoryMiB}M`,
        `ubd0=${at('system-changes')},${systemDisk}`,
        `ubd1=${at('work-changes')},${workDisk}`,
      ],
      ...['root=/dev/ubda', 'rw', `hostfs=${directory}`, 'con=null', 'con0=null,fd:3', 'ssl=null', 'ssl0=null,fd:1', 'console=tty0', 'panic=-1'],
    ],
    // Its memory is a file.
    { stdio: ['ignore', 'inherit', console, console], env: { ...process.env, TMPDIR: '/dev/shm' } },
  )
  closeSync(console)
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => machine.kill('SIGKILL'))
  await new Promise((resolve, reject) => machine.once('error', reject).once('exit', resolve))
  if (!existsSync(at('exit'))) throw new Error(`the machine ended before its job did. The last it said:\n${lastLines(at('console'), 40)}`)
  return Number(readFileSync(at('exit'), 'utf8'))
}

const lastLines = (file: string, count: number): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
