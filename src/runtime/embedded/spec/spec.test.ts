import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readCgroups } from '../cgroups/hierarchy.ts'
import { capabilitiesOf, hostCapabilities } from './capabilities.ts'
import { mountsOf } from './mounts.ts'
import { argumentsOf } from './process.ts'
import { resourcesOf } from './resources.ts'
import { pathInRoot } from './rootfs-path.ts'
import { defaultProfile } from './seccomp-default.ts'
import { homeOf, resolveUser } from './user.ts'

describe('the specification of a container', () => {
  const root = mkdtempSync(join(tmpdir(), 'skiff-root-'))
  after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:100:101::/:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nextra:x:55:other,app\nstaff:x:60:\n')
  const none = { supplementalGroups: [] }

  it('finds users by name and number in the image’s own files', () => {
    assert.deepEqual(resolveUser(root, none), { uid: 0, gid: 0, additionalGids: [0] })
    assert.deepEqual(resolveUser(root, none, 'app'), { uid: 100, gid: 101, additionalGids: [101, 55] })
    assert.deepEqual(resolveUser(root, { ...none, strictGroups: true }, 'app'), { uid: 100, gid: 101, additionalGids: [101] })
    assert.deepEqual(resolveUser(root, none, 'app:staff'), { uid: 100, gid: 60, additionalGids: [60, 55] })
    assert.deepEqual(resolveUser(root, { ...none, runAsUser: 100 }, 'root'), { uid: 100, gid: 101, additionalGids: [101, 55] })
    assert.deepEqual(resolveUser(root, { supplementalGroups: [7], runAsUser: 4242, runAsGroup: 9 }, 'app'), { uid: 4242, gid: 9, additionalGids: [9, 7] })
    assert.deepEqual(
      [0, 100, 4242].map((uid) => homeOf(root, { uid, gid: 0, additionalGids: [] })),
      ['/root', '/', '/'],
    )
    assert.throws(() => resolveUser(root, none, 'nobody'), /unable to find user nobody: no matching entries in passwd file/)
  })

  it('never follows the image’s symlinks out of it', () => {
    symlinkSync('/etc', join(root, 'absolute'))
    symlinkSync('../../../../etc', join(root, 'relative'))
    for (const path of ['/absolute/passwd', '/relative/passwd', '/../etc/passwd']) assert.equal(pathInRoot(root, path), join(root, 'etc/passwd'))
  })

  it('joins commands of pod and image as upstream', () => {
    const image = { Entrypoint: ['entry'], Cmd: ['a', 'b'] }
    assert.deepEqual(argumentsOf({}, image), ['entry', 'a', 'b'])
    assert.deepEqual(argumentsOf({ args: ['x'] }, image), ['entry', 'x'])
    assert.deepEqual(argumentsOf({ command: ['c'] }, image), ['c'])
    assert.deepEqual(argumentsOf({ command: ['c'], args: ['x'] }, image), ['c', 'x'])
    assert.throws(() => argumentsOf({}, {}), /no command specified/)
  })

  it('bounds capabilities by the host’s', () => {
    const host = hostCapabilities('1fffeffffff')
    assert.ok(!host.includes('SYS_RESOURCE') && host.includes('SYS_ADMIN'))
    const plain = capabilitiesOf({ privileged: false, add: ['NET_ADMIN', 'CAP_SYS_RESOURCE'], drop: ['CHOWN'] }, host)
    assert.ok(plain.granted.includes('CAP_NET_ADMIN') && !plain.granted.includes('CAP_CHOWN') && plain.granted.includes('CAP_KILL'))
    assert.deepEqual(plain.refused, ['SYS_RESOURCE'])
    assert.deepEqual(capabilitiesOf({ privileged: false, add: ['NET_BIND_SERVICE'], drop: ['ALL'] }, host).granted, ['CAP_NET_BIND_SERVICE'])
    assert.equal(capabilitiesOf({ privileged: true, add: [], drop: ['ALL'] }, host).granted.length, host.length)
  })

  it('lets system calls through by capability', () => {
    const names = (granted: string[]) => defaultProfile(granted).syscalls?.[0]?.names ?? []
    assert.ok(!names([]).includes('mount') && names(['CAP_SYS_ADMIN']).includes('mount'))
    assert.equal(new Set(names(['CAP_SYS_ADMIN'])).size, names(['CAP_SYS_ADMIN']).length)
  })

  it('mounts what lies deeper later, and leaves the pod its own files', () => {
    const mount = (containerPath: string) => ({ containerPath, hostPath: '/h', readonly: false, propagation: 'private' as const })
    const files = { shm: '/s', resolvConf: '/r', hostname: '/n' }
    const mounts = mountsOf({ mounts: [mount('/a/b/c'), mount('/a/'), mount('/etc/hostname')], privileged: false, readonlyRootfs: false }, files, [
      mount('/a/b'),
    ])
    assert.deepEqual(
      mounts.map((one) => one.destination).filter((path) => path.startsWith('/a') || path === '/etc/hostname'),
      ['/a', '/a/b', '/etc/hostname', '/a/b/c'],
    )
  })

  it('knows both versions of control groups', () => {
    const second = readCgroups('cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n')
    assert.deepEqual([second.version, second.directory('memory', '/skiff-x/pods')], [2, '/sys/fs/cgroup/skiff-x/pods'])
    const first = readCgroups('cgroup /c/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\ncgroup /c/memory cgroup rw,relatime,memory 0 0\n')
    assert.deepEqual(
      [first.version, first.directory('cpuacct', '/x'), first.directory('memory', '/x'), first.directory('pids', '/x')],
      [1, '/c/cpu,cpuacct/x', '/c/memory/x', undefined],
    )
    assert.deepEqual(resourcesOf({ memoryLimit: 5, cpuQuota: 1000 }, second), {
      memory: { limit: 5, swap: 5 },
      cpu: { quota: 1000, period: 100000 },
      unified: { 'memory.oom.group': '1' },
    })
  })
})
