/**
 * A cluster's cgroups lie under one parent of its own, `/skiff-<id>`. The kernel keeps empty directories when the
 * processes are gone: they are removed at the next `up` and at `down`.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

export const cgroupParent = (id: string): string => `/skiff-${id}`

/** The mount points of the host's cgroup hierarchies: one for v2, one for each controller of v1. */
function hierarchies(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, point = '']) => point)
}

/** Removes the parent where nothing runs in it any more. Returns the directories that could not be removed. */
export const removeCgroups = (id: string): string[] => removeCgroupTree(cgroupParent(id))

/** The same for a group by its path below every hierarchy's mount point. */
export function removeCgroupTree(path: string): string[] {
  const left: string[] = []
  for (const hierarchy of hierarchies()) {
    const directory = join(hierarchy, path)
    if (existsSync(directory)) removeTree(directory, left)
  }
  return left
}

function removeTree(directory: string, left: string[]): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name), left)
  }
  try {
    rmdirSync(directory)
  } catch {
    // A process still is in it.
    left.push(directory)
  }
}
