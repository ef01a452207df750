import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mountsOf } from './cgroup-mounts.ts'

describe('mounting cgroups that are not there', () => {
  it('mounts each hierarchy of version 1, and names those that are together', () => {
    assert.deepEqual(mountsOf('3:cpu,cpuacct:/a\n2:name=systemd:/\n0::/\n'), [
      'mount -t tmpfs -o mode=0755 cgroups /sys/fs/cgroup',
      'mkdir /sys/fs/cgroup/cpu,cpuacct',
      'mount -t cgroup -o cpu,cpuacct cgroup /sys/fs/cgroup/cpu,cpuacct',
      'ln -s cpu,cpuacct /sys/fs/cgroup/cpu',
      'ln -s cpu,cpuacct /sys/fs/cgroup/cpuacct',
      'mkdir /sys/fs/cgroup/systemd',
      'mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd',
    ])
  })

  it('mounts version 2 where there is no other', () => {
    assert.deepEqual(mountsOf('0::/user.slice\n'), ['mount -t cgroup2 cgroup2 /sys/fs/cgroup'])
  })
})
