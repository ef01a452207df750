/** What a group's files tell beyond its sums: throttling, kinds of memory, limits, disks. Of either version. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UsageDetails } from '../../runtime.ts'
import { readText } from '../json-file.ts'
import type { CgroupVersion } from './hierarchy.ts'

/** Version 1 says "no limit" by the largest number of pages. */
const noLimit = 2 ** 62
/** Of `user` and `system` in version 1: USER_HZ, which is 100 everywhere that this runs. */
const tickNanoSeconds = 1e7

export function readDetails(cgroups: CgroupVersion, path: string): UsageDetails {
  const read = (controller: string, file: string): string => {
    const directory = cgroups.directory(controller, path)
    return (directory && readText(join(directory, file))) || ''
  }
  return cgroups.version === 2 ? ofVersion2(read) : ofVersion1(read)
}

type Read = (controller: string, file: string) => string

const field = (text: string, name: string, scale = 1): number | undefined => {
  const digits = new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits) * scale
}
const number = (text: string): number | undefined => (/^-?\d+\s*$/.test(text) ? Number(text) : undefined)
const limit = (text: string): number | undefined => {
  const value = number(text)
  return value === undefined || value < 0 || value > noLimit ? undefined : value
}
const lines = (text: string): number | undefined => (text === '' ? undefined : text.trimEnd().split('\n').length)

function ofVersion1(read: Read): UsageDetails {
  const [cpu, account, memory] = [read('cpu', 'cpu.stat'), read('cpuacct', 'cpuacct.stat'), read('memory', 'memory.stat')]
  return compact({
    cpu: {
      userNanoSeconds: field(account, 'user', tickNanoSeconds),
      systemNanoSeconds: field(account, 'system', tickNanoSeconds),
      periods: field(cpu, 'nr_periods'),
      throttledPeriods: field(cpu, 'nr_throttled'),
      throttledNanoSeconds: field(cpu, 'throttled_time'),
      shares: number(read('cpu', 'cpu.shares')),
      quota: limit(read('cpu', 'cpu.cfs_quota_us')),
      period: number(read('cpu', 'cpu.cfs_period_us')),
    },
    memory: {
      cacheBytes: field(memory, 'total_cache'),
      mappedFileBytes: field(memory, 'total_mapped_file'),
      maxUsageBytes: number(read('memory', 'memory.max_usage_in_bytes')),
      limitBytes: limit(read('memory', 'memory.limit_in_bytes')),
      limitReached: number(read('memory', 'memory.failcnt')),
      oomKills: field(read('memory', 'memory.oom_control'), 'oom_kill'),
    },
    processes: lines(read('pids', 'cgroup.procs')),
    threads: number(read('pids', 'pids.current')),
    devices: devicesOf(
      fromLines(read('blkio', 'blkio.throttle.io_service_bytes_recursive'), /^(\d+:\d+) (Read|Write) (\d+)$/gm),
      fromLines(read('blkio', 'blkio.throttle.io_serviced_recursive'), /^(\d+:\d+) (Read|Write) (\d+)$/gm),
    ),
  })
}

function ofVersion2(read: Read): UsageDetails {
  const [cpu, memory, io] = [read('cpu', 'cpu.stat'), read('memory', 'memory.stat'), read('io', 'io.stat')]
  const events = read('memory', 'memory.events')
  const [quota = '', period = ''] = read('cpu', 'cpu.max').trim().split(' ')
  const weight = number(read('cpu', 'cpu.weight'))
  const bytes = new Map<string, number>()
  const requests = new Map<string, number>()
  for (const [, device = '', rest = ''] of io.matchAll(/^(\d+:\d+) (.*)$/gm))
    for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\d+)/g)) {
      const known = fieldsOfIo[name]
      if (known) (known.bytes ? bytes : requests).set(`${device} ${known.direction}`, Number(value))
    }
  return compact({
    cpu: {
      userNanoSeconds: field(cpu, 'user_usec', 1000),
      systemNanoSeconds: field(cpu, 'system_usec', 1000),
      periods: field(cpu, 'nr_periods'),
      throttledPeriods: field(cpu, 'nr_throttled'),
      throttledNanoSeconds: field(cpu, 'throttled_usec', 1000),
      // As runtimes turn shares into weights, backwards.
      shares: weight === undefined ? undefined : Math.round(((weight - 1) * 262_142) / 9999 + 2),
      quota: number(quota),
      period: number(period),
    },
    memory: {
      cacheBytes: field(memory, 'file'),
      mappedFileBytes: field(memory, 'file_mapped'),
      maxUsageBytes: number(read('memory', 'memory.peak')),
      limitBytes: limit(read('memory', 'memory.max')),
      limitReached: field(events, 'max'),
      oomKills: field(events, 'oom_kill'),
    },
    processes: lines(read('pids', 'cgroup.procs')),
    threads: number(read('pids', 'pids.current')),
    devices: devicesOf(bytes, requests),
  })
}

const fieldsOfIo: Readonly<Record<string, { bytes: boolean; direction: string }>> = {
  rbytes: { bytes: true, direction: 'Read' },
  wbytes: { bytes: true, direction: 'Write' },
  rios: { bytes: false, direction: 'Read' },
  wios: { bytes: false, direction: 'Write' },
}

const fromLines = (text: string, pattern: RegExp) =>
  new Map([...text.matchAll(pattern)].map(([, device, direction, value]) => [`${device} ${direction}`, Number(value)] as const))

function devicesOf(bytes: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>): UsageDetails['devices'] {
  const numbers = new Set([...bytes.keys(), ...requests.keys()].map((key) => key.split(' ')[0] ?? ''))
  return [...numbers].map((device) => ({
    device: deviceName(device),
    readBytes: bytes.get(`${device} Read`) ?? 0,
    writtenBytes: bytes.get(`${device} Write`) ?? 0,
    reads: requests.get(`${device} Read`) ?? 0,
    writes: requests.get(`${device} Write`) ?? 0,
  }))
}

/** `vda` of `254:0`. */
function deviceName(numbers: string): string {
  try {
    return /^DEVNAME=(.+)$/m.exec(readFileSync(`/sys/dev/block/${numbers}/uevent`, 'latin1'))?.[1] ?? numbers
  } catch {
    // A device may have gone since it was counted.
    return numbers
  }
}

type Loose<T> = { [K in keyof T]: T[K] | undefined }

/** Without the fields that are not known. */
function compact(
  found: { cpu: Loose<UsageDetails['cpu']>; memory: Loose<UsageDetails['memory']>; devices: UsageDetails['devices'] } & Loose<
    Pick<UsageDetails, 'processes' | 'threads'>
  >,
): UsageDetails {
  const { cpu, memory, processes, threads, devices } = found
  return { cpu: known(cpu), memory: known(memory), devices, ...known({ processes, threads }) }
}

const known = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
