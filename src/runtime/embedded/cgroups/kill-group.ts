import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

/** Kills every process of a group; in version 2, where the kernel does that (Linux 5.14), of the groups below it too. */
export function killGroup(cgroups: CgroupVersion, path: string): void {
  const directory = cgroups.directory('pids', path) ?? cgroups.directory('memory', path)
  const kill = directory && cgroups.version === 2 ? join(directory, 'cgroup.kill') : ''
  if (kill !== '' && existsSync(kill)) return writeFileSync(kill, '1')
  const list = directory ? (readText(join(directory, 'cgroup.procs')) ?? '') : ''
  for (const pid of list.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
