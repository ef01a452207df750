/** What the process uses, under the names of Prometheus' client libraries. Components of one process tell the same. */
import { readdirSync, readFileSync } from 'node:fs'
import type { MetricRegistry } from './registry.ts'

type Read = () => number | undefined

export function addProcessMetrics(registry: MetricRegistry): void {
  const one = (name: string, type: 'counter' | 'gauge', help: string, read: Read) =>
    registry.read(name, type, help, [], () => {
      const value = read()
      return value === undefined ? [] : [[[], value]]
    })
  one('process_cpu_seconds_total', 'counter', 'Processor time of the process, in seconds.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  one('process_resident_memory_bytes', 'gauge', 'Memory of the process that is resident, in bytes.', () => process.memoryUsage.rss())
  one('process_virtual_memory_bytes', 'gauge', 'Address space of the process, in bytes.', virtualMemory)
  one('process_start_time_seconds', 'gauge', 'When the process started, in seconds since the epoch.', () => performance.timeOrigin / 1000)
  one('process_open_fds', 'gauge', 'Open file descriptors.', () => ifThere(() => readdirSync('/proc/self/fd').length))
  one('process_max_fds', 'gauge', 'How many file descriptors may be open.', maxDescriptors)
  one('nodejs_heap_size_total_bytes', 'gauge', 'Heap that V8 holds, in bytes.', () => process.memoryUsage().heapTotal)
  one('nodejs_heap_size_used_bytes', 'gauge', 'Heap that is used, in bytes.', () => process.memoryUsage().heapUsed)
  one('nodejs_external_memory_bytes', 'gauge', 'Memory of objects outside of the heap, in bytes.', () => process.memoryUsage().external)
  one('nodejs_eventloop_utilization', 'gauge', 'Share of its life that the event loop was busy.', () => performance.eventLoopUtilization().utilization)
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.')
  registry.read('nodejs_version_info', 'gauge', 'The version of Node.js.', ['version', 'major', 'minor', 'patch'], () => [
    [[process.version, major, minor, patch], 1],
  ])
}

/** Which Kubernetes the component is of. */
export function addBuildInfo(registry: MetricRegistry, { major, minor, gitVersion }: { major: string; minor: string; gitVersion: string }): void {
  const labels = ['major', 'minor', 'git_version', 'git_commit', 'git_tree_state', 'build_date', 'go_version', 'compiler', 'platform']
  registry.read('kubernetes_build_info', 'gauge', 'The version of the component; always 1.', labels, () => [
    [
      [
        major,
        minor,
        gitVersion,
        '',
        'clean',
        '1970-01-01T00:00:00Z',
        'go0.0',
        'node',
        `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
      ],
      1,
    ],
  ])
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    // Without /proc nothing is told.
    return undefined
  }
}

const virtualMemory: Read = () => ifThere(() => Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]) * 4096)

const maxDescriptors: Read = () =>
  ifThere(() => {
    const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
  })
