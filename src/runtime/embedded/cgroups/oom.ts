/** Whether the kernel has killed a process of a group for lack of memory. */
import { join } from 'node:path'
import { readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

export function hasOomKill(cgroups: CgroupVersion, path: string): boolean {
  const directory = cgroups.directory('memory', path)
  if (!directory) return false
  const text = readText(join(directory, cgroups.version === 2 ? 'memory.events' : 'memory.oom_control'))
  return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0
}
