/**
 * `ip netns exec` gives what it runs a `/sys` of its own, on which no cgroups are mounted; containers need them. In the
 * cluster's own mount namespace they are mounted again.
 */
import { readFileSync, statfsSync } from 'node:fs'

/** The kernel's number of the file system that `/sys` is; where cgroups are mounted, it is another. */
const sysfs = 0x62656572
const root = '/sys/fs/cgroup'

/** Shell commands that mount what is missing; none where cgroups are mounted. */
export function cgroupMounts(): string[] {
  return statfsSync(root).type === sysfs ? mountsOf(readFileSync('/proc/self/cgroup', 'utf8')) : []
}

/** From the lines of `/proc/self/cgroup`: one for each hierarchy of version 1, and `0::` for version 2. Pure. */
export function mountsOf(groups: string): string[] {
  const lists = groups
    .trim()
    .split('\n')
    .map((line) => line.split(':')[1] ?? '')
  const version1 = lists.filter((list) => list !== '')
  if (version1.length === 0) return [`mount -t cgroup2 cgroup2 ${root}`]
  const commands = [`mount -t tmpfs -o mode=0755 cgroups ${root}`]
  for (const list of version1) {
    const named = list.startsWith('name=')
    const directory = named ? list.slice('name='.length) : list
    commands.push(`mkdir ${root}/${directory}`, `mount -t cgroup -o ${named ? `none,${list}` : list} cgroup ${root}/${directory}`)
    // Controllers that are mounted together are found under the name of each as well.
    if (!named && list.includes(',')) for (const controller of list.split(',')) commands.push(`ln -s ${directory} ${root}/${controller}`)
  }
  return commands
}
