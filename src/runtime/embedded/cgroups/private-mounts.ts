/**
 * crun refuses a host where a second cgroup hierarchy is mounted beside version 1. It is unmounted in the cluster's own
 * mount namespace, never on the host.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { command } from '../command.ts'

/** The kernel's number of the first PID namespace. */
const hostsOwn = 'pid:[4026531836]'

export async function hideUnifiedHierarchy(): Promise<void> {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const unified = lines.find((line) => line.split(' ')[4] === '/sys/fs/cgroup/unified')
  if (!unified) return
  // What propagates, or has no PID namespace of its own either, is the host's.
  if (unified.includes(' shared:') || readlinkSync('/proc/self/ns/pid') === hostsOwn)
    throw new Error('containers run in mount and PID namespaces of their own only: start through `unshare --mount --pid --fork --mount-proc`')
  await command('umount', ['/sys/fs/cgroup/unified'])
}
