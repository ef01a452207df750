import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readDetails } from './usage-details.ts'

describe('details of a control group', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-usage-'))
  after(() => rmSync(directory, { recursive: true }))

  /** A hierarchy of these files; no device has the numbers that they name. */
  const details = (version: 1 | 2, files: Record<string, string>) => {
    const root = mkdtempSync(join(directory, `v${version}-`))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return readDetails({ version, swapAccounting: true, directory: (controller, path) => join(root, version === 1 ? controller : '', path) }, '/pod')
  }

  it('of version 2', () =>
    assert.deepEqual(
      details(2, {
        'pod/cpu.stat': 'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 5\nnr_throttled 2\nthrottled_usec 7\n',
        'pod/cpu.max': '50000 100000\n',
        'pod/cpu.weight': '39\n',
        'pod/memory.stat': 'anon 1\nfile 4096\nfile_mapped 12\n',
        'pod/memory.max': '1048576\n',
        'pod/memory.peak': '5000\n',
        'pod/memory.events': 'low 0\nmax 3\noom 1\noom_kill 1\n',
        'pod/pids.current': '2\n',
        'pod/cgroup.procs': '41\n',
        'pod/io.stat': '999:7 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n',
      }),
      {
        cpu: {
          userNanoSeconds: 20_000,
          systemNanoSeconds: 10_000,
          periods: 5,
          throttledPeriods: 2,
          throttledNanoSeconds: 7000,
          shares: 998,
          quota: 50_000,
          period: 100_000,
        },
        memory: { cacheBytes: 4096, mappedFileBytes: 12, maxUsageBytes: 5000, limitBytes: 1_048_576, limitReached: 3, oomKills: 1 },
        processes: 1,
        threads: 2,
        devices: [{ device: '999:7', readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }],
      },
    ))

  it('of version 1', () =>
    assert.deepEqual(
      details(1, {
        'cpu/pod/cpu.stat': 'nr_periods 5\nnr_throttled 2\nthrottled_time 7000\n',
        'cpu/pod/cpu.shares': '512\n',
        'cpu/pod/cpu.cfs_quota_us': '-1\n',
        'cpu/pod/cpu.cfs_period_us': '100000\n',
        'cpuacct/pod/cpuacct.stat': 'user 3\nsystem 1\n',
        'memory/pod/memory.stat': 'cache 1\ntotal_cache 4096\ntotal_mapped_file 12\n',
        'memory/pod/memory.limit_in_bytes': '9223372036854771712\n',
        'memory/pod/memory.max_usage_in_bytes': '5000\n',
        'memory/pod/memory.failcnt': '3\n',
        'memory/pod/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
        'pids/pod/pids.current': '2\n',
        'pids/pod/cgroup.procs': '41\n42\n',
        'blkio/pod/blkio.throttle.io_service_bytes_recursive': '999:7 Read 10\n999:7 Write 20\n999:7 Total 30\nTotal 30\n',
        'blkio/pod/blkio.throttle.io_serviced_recursive': '999:7 Read 1\n999:7 Write 2\n999:7 Total 3\nTotal 3\n',
      }),
      {
        cpu: { userNanoSeconds: 3e7, systemNanoSeconds: 1e7, periods: 5, throttledPeriods: 2, throttledNanoSeconds: 7000, shares: 512, period: 100_000 },
        memory: { cacheBytes: 4096, mappedFileBytes: 12, maxUsageBytes: 5000, limitReached: 3, oomKills: 1 },
        processes: 2,
        threads: 2,
        devices: [{ device: '999:7', readBytes: 10, writtenBytes: 20, reads: 1, writes: 2 }],
      },
    ))

  it('of nothing: what is not there is not told', () => assert.deepEqual(details(1, {}), { cpu: {}, memory: {}, devices: [] }))
})
