/** What a cluster must leave as it was: the host's interfaces, mounts, firewall, cgroups, and processes. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface HostState {
  links: string[]
  mounts: string[]
  firewall: string
  namespaces: string[]
  sysctls: string[]
}

const watched = ['net/ipv4/ip_forward', 'net/ipv4/conf/all/route_localnet', 'kernel/pid_max', 'fs/inotify/max_user_instances']

export function hostState(): HostState {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as { ifname: string }[]
  return {
    links: links.map((link) => link.ifname).sort(),
    mounts: readFileSync('/proc/self/mounts', 'utf8').trim().split('\n').sort(),
    firewall: execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }),
    namespaces: existsSync('/run/netns') ? readdirSync('/run/netns').sort() : [],
    sysctls: watched.filter((name) => existsSync(join('/proc/sys', name))).map((name) => `${name} ${readFileSync(join('/proc/sys', name), 'utf8').trim()}`),
  }
}

/** Processes whose command line or working files name the directory. */
export function processesOf(directory: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
        return command.includes(directory) || environment.includes(directory) ? [`${pid} ${command}`] : []
      } catch {
        // It ended while we looked.
        return []
      }
    })
}

/** Cgroup directories of a cluster, by its id. */
export function cgroupsOf(id: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  return points.map(([, point = '']) => join(point, `skiff-${id}`)).filter((path) => existsSync(path))
}
