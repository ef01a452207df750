/** Where the host's control groups are mounted: one tree in version 2, one for each controller in version 1. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CgroupVersion {
  version: 1 | 2
  /** Whether memory and swap can be limited together. */
  swapAccounting: boolean
  /** Directory of a group for a controller; undefined where that controller is not mounted. */
  directory(controller: string, path: string): string | undefined
}

export function readCgroups(mounts = readFileSync('/proc/self/mounts', 'utf8')): CgroupVersion {
  const entries = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  const unified = entries.find(([, point]) => point === '/sys/fs/cgroup')
  if (unified?.[2] === 'cgroup2') {
    const [, root = ''] = unified
    return { version: 2, swapAccounting: true, directory: (_controller, path) => join(root, path) }
  }
  const controllers = new Map<string, string>()
  for (const [, point = '', type, options = ''] of entries) {
    if (type === 'cgroup') for (const option of options.split(',')) controllers.set(option, point)
  }
  const memory = controllers.get('memory')
  return {
    version: 1,
    swapAccounting: memory !== undefined && existsSync(join(memory, 'memory.memsw.usage_in_bytes')),
    directory: (controller, path) => {
      const root = controllers.get(controller)
      return root && join(root, path)
    },
  }
}
