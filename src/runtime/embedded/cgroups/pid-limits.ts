/** How many processes a group may have: by its own limit and by those of the groups above, as far up as can be seen. */
import { dirname, join } from 'node:path'
import { readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

export function readPidLimits(cgroups: CgroupVersion, path: string): { limit: number; used: number }[] {
  const limits: { limit: number; used: number }[] = []
  for (let group = path; ; group = dirname(group)) {
    const directory = cgroups.directory('pids', group)
    // Where there is none, it says `max`; the root of all has no such file.
    const limit = Number.parseInt((directory && readText(join(directory, 'pids.max'))) || '', 10)
    if (directory && limit >= 0) limits.push({ limit, used: Number(readText(join(directory, 'pids.current'))) })
    if (group === '/' || group === '.') return limits
  }
}
