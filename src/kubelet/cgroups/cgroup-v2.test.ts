/** On the kernel's own control groups: where these are of version 1, there is nothing to try. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { realClock } from '../../machinery/real-clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { removeGroup } from './cgroup-directories.ts'
import { CgroupsV2 } from './cgroup-v2.ts'

const hierarchy = '/sys/fs/cgroup'

if (existsSync(join(hierarchy, 'cgroup.controllers')))
  describe('control groups of version 2', () => {
    /** As the root that a container sees. */
    const mount = join(hierarchy, `skiff-test-${process.pid}`)
    const read = (path: string) => readFileSync(join(mount, path), 'utf8').trim()
    let inside: ChildProcess

    beforeEach(() => {
      // It hands on what the root does.
      writeFileSync(join(hierarchy, 'cgroup.subtree_control'), '+cpu +memory +pids')
      mkdirSync(mount)
      inside = spawn('sleep', ['1000'])
      writeFileSync(join(mount, 'cgroup.procs'), String(inside.pid))
    })

    afterEach(async () => {
      inside.kill('SIGKILL')
      await removeGroup(mount, (ms) => realClock.sleep(ms))
    })

    it('are made below a container with processes, which then live beside them', async () => {
      const cgroups = new CgroupsV2({ mount, root: '/skiff-x/node-1', clock: realClock })
      await cgroups.prepare({ cpu: 2000, memory: 2 ** 30 })
      assert.equal(read('init/cgroup.procs'), String(inside.pid))
      const kubepods = 'skiff-x/node-1/kubepods'
      assert.equal(read(`${kubepods}/memory.max`), String(2 ** 30))
      assert.equal(read(`${kubepods}/cpu.weight`), '79')
      const pod = { metadata: { uid: 'u' }, spec: { containers: [{ name: 'c', resources: { limits: { cpu: '500m', memory: '64Mi' } } }] } } as unknown as V1Pod
      assert.equal(await cgroups.ensurePod(pod), '/kubepods/podu')
      assert.deepEqual(
        ['memory.max', 'cpu.max', 'cpu.weight'].map((file) => read(`${kubepods}/podu/${file}`)),
        [String(64 << 20), '50000 100000', '20'],
      )
      for (const controller of ['cpu', 'memory', 'pids']) assert.ok(read(`${kubepods}/podu/cgroup.subtree_control`).split(' ').includes(controller))
      assert.deepEqual(await cgroups.podUids(), ['u'])
      await cgroups.removePod('u')
      assert.deepEqual(await cgroups.podUids(), [])
      // Once more, as after a crash.
      await cgroups.prepare({ cpu: 2000, memory: 2 ** 30 })
    })
  })
