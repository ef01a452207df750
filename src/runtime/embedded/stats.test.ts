import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { insideNamespaces } from '../../../test/tools/namespaces.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import type { ContainerStats, Runtime } from '../runtime.ts'
import { buildBusyboxImage } from './build/busybox-image.ts'
import { readCgroups } from './cgroups/hierarchy.ts'
import { createEmbeddedRuntime } from './embedded-runtime.ts'
import { openImageStore } from './images/image-store.ts'
import { nullNetwork } from './null-network.ts'
import { Pods, until } from './testing/pods.ts'

const inside = insideNamespaces(import.meta.url)

if (inside)
  describe('what containers use', () => {
    const { directory, cgroupRoot } = inside
    const options = { dataDir: join(directory, 'data'), stateDir: join(directory, 'run'), cgroupRoot, network: nullNetwork }
    const clock = new VirtualClock()
    let pods: Pods
    let runtime: Runtime

    before(async () => {
      await buildBusyboxImage(openImageStore(join(options.dataDir, 'images')))
      const made = await createEmbeddedRuntime({ ...options, clock, log: () => {} })
      runtime = made
      pods = new Pods(made, directory)
    })
    after(async () => {
      for (const { id } of await runtime.listPodSandboxes()) await runtime.removePodSandbox(id)
      await runtime.close()
    })

    const statsOf = async (id: string): Promise<ContainerStats> => {
      const found = (await runtime.stats()).flatMap((one) => one.containers).find((one) => one.id === id)
      assert.ok(found)
      return found
    }
    const nodeTime = async () => (await runtime.nodeStats?.())?.cpu.usageCoreNanoSeconds ?? 0
    /** The kernel's own account of a container's processor time. */
    const accounted = (sandbox: string, id: string): number => {
      const cgroups = readCgroups()
      const file = (controller: string, name: string) => readFileSync(join(cgroups.directory(controller, `${cgroupRoot}${sandbox}/${id}`) ?? '', name), 'utf8')
      if (cgroups.version === 1) return Number(file('cpuacct', 'cpuacct.usage'))
      return Number(/^usage_usec (\d+)$/m.exec(file('cpu', 'cpu.stat'))?.[1]) * 1000
    }

    it('is what the kernel has accounted: processor time of one that burns, memory of one that holds', async () => {
      const burning = await pods.run(['sh', '-c', 'while :; do :; done'], {}, pods.sandbox({ cgroupParent: '/pods/burning' }))
      const holding = await pods.run(
        ['sh', '-c', 'dd if=/dev/zero of=/dev/shm/held bs=1M count=30 && sleep 1000'],
        {},
        pods.sandbox({ cgroupParent: '/pods/holding' }),
      )
      await until('memory is held', async () => (await statsOf(holding.id)).memory.workingSetBytes >= 30 << 20)
      assert.ok((await statsOf(holding.id)).memory.workingSetBytes < 40 << 20)
      const before = accounted('/pods/burning', burning.id)
      const told = (await statsOf(burning.id)).cpu.usageCoreNanoSeconds
      const after = accounted('/pods/burning', burning.id)
      assert.ok(before <= told && told <= after, `${before} <= ${told} <= ${after}`)
      assert.ok(told > 0)
      const [first] = (await runtime.stats()).filter((one) => one.id === burning.sandboxId)
      assert.ok((first?.cpu.usageCoreNanoSeconds ?? 0) >= told)
    })

    it('gives a rate over the time between readings, and keeps it for readers that come too soon', async () => {
      const { id } = await pods.run(['sh', '-c', 'while :; do :; done'])
      const before = await statsOf(id)
      assert.equal(before.cpu.usageNanoCores, undefined)
      await until('it has burnt', async () => (await statsOf(id)).cpu.usageCoreNanoSeconds > before.cpu.usageCoreNanoSeconds + 5e7)
      await clock.advance(10_000)
      const later = await statsOf(id)
      assert.equal(later.cpu.usageNanoCores, Math.round((later.cpu.usageCoreNanoSeconds - before.cpu.usageCoreNanoSeconds) / 10))
      await clock.advance(1000)
      assert.equal((await statsOf(id)).cpu.usageNanoCores, later.cpu.usageNanoCores)
    })

    const detailsOf = async (id: string) => {
      const found = (await runtime.stats({ details: true })).flatMap((one) => one.containers).find((one) => one.id === id)?.details
      assert.ok(found)
      return found
    }

    it('tells of one that is held back how often, and of whose time it is', async () => {
      const { id } = await pods.run(['sh', '-c', 'while :; do :; done'], { resources: { cpuQuota: 10_000, cpuPeriod: 100_000, memoryLimit: 32 << 20 } })
      assert.equal((await statsOf(id)).details, undefined, 'nobody pays for what they do not ask for')
      await until('it is held back', async () => ((await detailsOf(id)).cpu.throttledPeriods ?? 0) > 2)
      const { cpu, memory, processes, threads } = await detailsOf(id)
      assert.deepEqual([cpu.quota, cpu.period, memory.limitBytes, processes, threads], [10_000, 100_000, 32 << 20, 1, 1])
      assert.ok((cpu.throttledNanoSeconds ?? 0) > 0 && (cpu.periods ?? 0) >= (cpu.throttledPeriods ?? 0))
      // User Mode Linux takes all time for the kernel's own.
      assert.ok((cpu.userNanoSeconds ?? 0) + (cpu.systemNanoSeconds ?? 0) > 0)
    })

    it('tells how much of the memory caches files, and the most there ever was', async () => {
      const { id } = await pods.run(['sh', '-c', 'dd if=/dev/zero of=/held bs=1M count=8 && cat /held >/dev/null && sleep 1000'])
      await until('the file is cached', async () => ((await detailsOf(id)).memory.cacheBytes ?? 0) >= 8 << 20)
      assert.ok(((await detailsOf(id)).memory.maxUsageBytes ?? 0) >= 8 << 20)
    })

    it('never goes back for the node when pods end', async () => {
      const { sandboxId, id } = await pods.run(['sh', '-c', 'while :; do :; done'])
      await until('it has burnt', async () => (await statsOf(id)).cpu.usageCoreNanoSeconds > 5e7)
      const before = await nodeTime()
      await runtime.stopPodSandbox(sandboxId)
      await runtime.removePodSandbox(sandboxId)
      assert.ok(before > 0 && (await nodeTime()) >= before)
    })
  })
