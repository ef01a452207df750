import { join } from 'node:path'
import { readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

/** Kills every process of a group. */
export function killGroup(cgroups: CgroupVersion, path: string): void {
  const directory = cgroups.directory('pids', path) ?? cgroups.directory('memory', path)
  const list = directory ? (readText(join(directory, 'cgroup.procs')) ?? '') : ''
  for (const pid of list.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
