import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { makeGroup, podUidsBelow, removeGroup, writeValue } from './cgroup-directories.ts'
import { type Cgroups, podCgroup, podLimits } from './cgroups.ts'

const managed = ['cpu', 'cpuacct', 'memory', 'pids']

/** Each controller has a tree of its own below `mount`. `root` is the node's group in each of them. */
export class CgroupsV1 implements Cgroups {
  readonly #mount: string
  readonly #root: string
  readonly #clock: Clock
  readonly #controllers: string[]

  constructor({ mount = '/sys/fs/cgroup', root, clock }: { mount?: string; root: string; clock: Clock }) {
    this.#mount = mount
    this.#root = root
    this.#clock = clock
    const all = ['cpu', 'cpuacct', 'memory', 'pids', 'cpuset', 'blkio', 'devices', 'freezer', 'hugetlb', 'net_cls', 'perf_event', 'systemd']
    // Controllers that are mounted together are links to one directory: making the group twice is harmless.
    this.#controllers = all.filter((name) => existsSync(join(mount, name)))
  }

  async prepare({ cpu, memory }: { cpu: number; memory: number }): Promise<void> {
    for (const group of ['/kubepods', '/kubepods/burstable', '/kubepods/besteffort']) await this.#make(group)
    await this.#set('cpu', '/kubepods', 'cpu.shares', Math.max(2, Math.floor((cpu * 1024) / 1000)))
    await this.#set('cpu', '/kubepods/besteffort', 'cpu.shares', 2)
    if (memory > 0) await this.#set('memory', '/kubepods', 'memory.limit_in_bytes', memory)
  }

  async ensurePod(pod: V1Pod): Promise<string> {
    const group = podCgroup(pod)
    await this.#make(group)
    const { cpuShares, cpuQuota, memoryLimit } = podLimits(pod)
    await this.#set('cpu', group, 'cpu.shares', cpuShares)
    if (cpuQuota !== undefined) {
      await this.#set('cpu', group, 'cpu.cfs_period_us', 100_000)
      await this.#set('cpu', group, 'cpu.cfs_quota_us', cpuQuota)
    }
    if (memoryLimit !== undefined) await this.#set('memory', group, 'memory.limit_in_bytes', memoryLimit)
    return group
  }

  async removePod(uid: string): Promise<void> {
    for (const controller of this.#controllers) {
      for (const parent of ['', 'burstable', 'besteffort'])
        await removeGroup(join(this.#directory(controller, '/kubepods'), parent, `pod${uid}`), (ms) => this.#clock.sleep(ms))
    }
  }

  async podUids(): Promise<string[]> {
    const lists = await Promise.all(this.#controllers.map((controller) => podUidsBelow(this.#directory(controller, '/kubepods'))))
    return [...new Set(lists.flat())]
  }

  async #make(group: string): Promise<void> {
    // The runtime makes what it needs in the others; a cpuset, for one, must be filled in before it can be used.
    for (const controller of this.#controllers) if (managed.includes(controller)) await makeGroup(this.#directory(controller, group))
  }

  async #set(controller: string, group: string, file: string, value: number): Promise<void> {
    const directory = this.#directory(controller, group)
    if (this.#controllers.includes(controller) && existsSync(join(directory, file))) await writeValue(directory, file, value)
  }

  #directory(controller: string, group: string): string {
    return join(this.#mount, controller, this.#root, group)
  }
}
