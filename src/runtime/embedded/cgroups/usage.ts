/** What a group has used, from the files of either version. */
import { join } from 'node:path'
import { namesIn, readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

export interface Usage {
  cpuNanoSeconds: number
  memory: { usageBytes: number; workingSetBytes: number; rssBytes: number; pageFaults: number; majorPageFaults: number; swapUsageBytes?: number }
  pids: number
}

export function readUsage(cgroups: CgroupVersion, path: string): Usage {
  const read = (controller: string, file: string): string => {
    const directory = cgroups.directory(controller, path)
    return (directory && readText(join(directory, file))) || ''
  }
  const field = (text: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  const stat = read('memory', 'memory.stat')
  /** Absent where the kernel does not count it. */
  const swap = (text: string): { swapUsageBytes?: number } => (text === '' ? {} : { swapUsageBytes: Number(text) })
  if (cgroups.version === 2) {
    const usageBytes = Number(read('memory', 'memory.current'))
    return {
      cpuNanoSeconds: field(read('cpu', 'cpu.stat'), 'usage_usec') * 1000,
      memory: {
        usageBytes,
        workingSetBytes: Math.max(0, usageBytes - field(stat, 'inactive_file')),
        rssBytes: field(stat, 'anon'),
        pageFaults: field(stat, 'pgfault'),
        majorPageFaults: field(stat, 'pgmajfault'),
        ...swap(read('memory', 'memory.swap.current')),
      },
      pids: Number(read('pids', 'pids.current')),
    }
  }
  const usageBytes = Number(read('memory', 'memory.usage_in_bytes'))
  return {
    cpuNanoSeconds: Number(read('cpuacct', 'cpuacct.usage')),
    memory: {
      usageBytes,
      workingSetBytes: Math.max(0, usageBytes - field(stat, 'total_inactive_file')),
      rssBytes: field(stat, 'total_rss'),
      pageFaults: field(stat, 'total_pgfault'),
      majorPageFaults: field(stat, 'total_pgmajfault'),
      ...swap(/^total_swap (\d+)$/m.exec(stat)?.[1] ?? ''),
    },
    pids: Number(read('pids', 'pids.current')),
  }
}

/** Adds up groups whose sum the hierarchy does not show. */
export function childGroups(cgroups: CgroupVersion, path: string): string[] {
  const directory = cgroups.directory('memory', path)
  return directory ? namesIn(directory).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []
}
