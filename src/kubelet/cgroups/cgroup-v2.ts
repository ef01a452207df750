import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { makeGroup, podUidsBelow, removeGroup, writeValue } from './cgroup-directories.ts'
import { type Cgroups, podCgroup, podLimits } from './cgroups.ts'

/** Shares of 2…262144 as weights of 1…10000, by the formula that runtimes use. */
export const sharesToWeight = (shares: number): number => Math.floor(1 + ((shares - 2) * 9999) / 262_142)

const needed = ['cpu', 'memory', 'pids']
const handedOn = ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb']

/** One tree for all controllers; each group hands them on to those below. */
export class CgroupsV2 implements Cgroups {
  readonly #base: string
  readonly #mount: string
  readonly #root: string
  readonly #clock: Clock

  constructor({ mount = '/sys/fs/cgroup', root, clock }: { mount?: string; root: string; clock: Clock }) {
    this.#mount = mount
    this.#root = root
    this.#base = join(mount, root)
    this.#clock = clock
  }

  async prepare({ cpu, memory }: { cpu: number; memory: number }): Promise<void> {
    let path = this.#mount
    for (const part of this.#root.split('/').filter(Boolean)) {
      await this.#handOn(path)
      path = join(path, part)
      await makeGroup(path)
    }
    for (const group of ['', '/kubepods', '/kubepods/burstable', '/kubepods/besteffort']) {
      await makeGroup(join(this.#base, group))
      await this.#handOn(join(this.#base, group))
    }
    await writeValue(join(this.#base, 'kubepods'), 'cpu.weight', sharesToWeight(Math.max(2, Math.floor((cpu * 1024) / 1000))))
    await writeValue(join(this.#base, 'kubepods/besteffort'), 'cpu.weight', 1)
    if (memory > 0) await writeValue(join(this.#base, 'kubepods'), 'memory.max', memory)
  }

  async ensurePod(pod: V1Pod): Promise<string> {
    const group = podCgroup(pod)
    const directory = join(this.#base, group)
    await makeGroup(directory)
    await this.#handOn(directory)
    const { cpuShares, cpuQuota, memoryLimit } = podLimits(pod)
    await writeValue(directory, 'cpu.weight', sharesToWeight(cpuShares))
    if (cpuQuota !== undefined) await writeValue(directory, 'cpu.max', `${cpuQuota} 100000`)
    if (memoryLimit !== undefined) await writeValue(directory, 'memory.max', memoryLimit)
    return group
  }

  async removePod(uid: string): Promise<void> {
    for (const parent of ['', 'burstable', 'besteffort']) await removeGroup(join(this.#base, 'kubepods', parent, `pod${uid}`), (ms) => this.#clock.sleep(ms))
  }

  podUids(): Promise<string[]> {
    return podUidsBelow(join(this.#base, 'kubepods'))
  }

  async #handOn(directory: string): Promise<void> {
    const words = async (file: string) => (await readFile(join(directory, file), 'utf8')).trim().split(' ').filter(Boolean)
    const [there, already] = await Promise.all([words('cgroup.controllers'), words('cgroup.subtree_control')])
    const lacking = needed.filter((name) => !there.includes(name))
    if (lacking.length > 0)
      throw new Error(
        `pods need the controllers ${needed.join(', ')} of control groups, and ${directory} has no ${lacking.join(', ')}: where it is a container's or a service's own, have them delegated to it`,
      )
    const missing = there.filter((name) => handedOn.includes(name) && !already.includes(name))
    if (missing.length === 0) return
    const handOn = () => writeValue(directory, 'cgroup.subtree_control', missing.map((name) => `+${name}`).join(' '))
    try {
      await handOn()
    } catch (error) {
      // A group that holds processes cannot hand on, except for the kernel's own root: what a container calls the root is none.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || directory !== this.#mount) throw error
      await this.#moveProcesses(directory, join(directory, 'init'))
      await handOn()
    }
  }

  /** As inits of containers do that start others in them. */
  async #moveProcesses(from: string, to: string): Promise<void> {
    await makeGroup(to)
    for (const pid of (await readFile(join(from, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean)) {
      try {
        await writeValue(to, 'cgroup.procs', pid)
      } catch (error) {
        // It has ended meanwhile.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
}
