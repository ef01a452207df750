/** What the cluster takes while nobody wants anything of it. */
import { CannotMeasure, type ClusterMeasure } from '../measure.ts'
import { usedBy } from '../processes.ts'
import { pause, sum } from '../statistics.ts'

const settleMs = 20_000
const watchedMs = 10_000

export const idle: ClusterMeasure = {
  name: 'idle',
  needs: 'cluster',
  summary: 'memory of all processes after 30 s of idling, and CPU meanwhile',
  async run({ processes }) {
    if (processes.length === 0) throw new CannotMeasure('which processes are the cluster is not known: name their first ones with --pids')
    await pause(settleMs)
    const before = sum(usedBy(processes).map((use) => use.cpuMs))
    await pause(watchedMs)
    const used = usedBy(processes)
    const cpu = ((sum(used.map((use) => use.cpuMs)) - before) / watchedMs) * 100
    const parts = [...used]
      .sort((a, b) => b.pssBytes - a.pssBytes)
      .slice(0, 4)
      .map(({ name, pssBytes }) => `${name} ${Math.round(pssBytes / 1e6)}`)
    return [
      {
        what: 'idle memory',
        value: sum(used.map((use) => use.pssBytes)) / 1e6,
        unit: 'MB',
        how: `PSS of ${used.length} processes after 30 s (${parts.join(', ')})`,
        goal: { atMost: 200 },
      },
      { what: 'idle CPU', value: cpu, unit: '% of a core', how: `over ${watchedMs / 1000} s` },
    ]
  },
}
