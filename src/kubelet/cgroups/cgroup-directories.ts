import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Control groups are directories; these are the few things one does with them, whatever the version. */
export async function writeValue(directory: string, file: string, value: string | number): Promise<void> {
  await writeFile(join(directory, file), String(value))
}

export async function makeGroup(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
}

/** Removes the group and those below it; ends the processes that are in them. */
export async function removeGroup(directory: string, pause: (ms: number) => Promise<void>): Promise<void> {
  let names: string[]
  try {
    names = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  for (const name of names) await removeGroup(join(directory, name), pause)
  for (let attempt = 0; ; attempt++) {
    for (const pid of (await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter(Boolean)) endProcess(Number(pid))
    try {
      await rmdir(directory)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      // The kernel takes a moment to let go of processes that have ended.
      if (code !== 'EBUSY' || attempt >= 50) throw error
      await pause(20)
    }
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export async function podUidsBelow(kubepods: string): Promise<string[]> {
  const uids: string[] = []
  for (const parent of ['', 'burstable', 'besteffort']) {
    const names = await readdir(join(kubepods, parent)).catch(() => [] as string[])
    for (const name of names) if (name.startsWith('pod')) uids.push(name.slice(3))
  }
  return uids
}
