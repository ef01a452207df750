/** The scheduler alone, over an API server and a store in one process: how many pods a second get a node. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Result, SkiffMeasure } from '../measure.ts'

const program = join(import.meta.dirname, '../../src/scheduler/testing/throughput.ts')
const nodes = 5000

/** `kind` as the program knows it. */
const workloads = [
  { kind: 'plain', what: 'basic pods', pods: 5000, goal: 1000 },
  { kind: 'spread', what: 'pods spread over zones', pods: 5000 },
  { kind: 'anti-affinity', what: 'pods with required anti-affinity', pods: 4000, goal: 200 },
  { kind: 'preferred-anti-affinity', what: 'pods with preferred anti-affinity', pods: 4000, goal: 200 },
  { kind: 'affinity', what: 'pods of one affinity', pods: 1000, goal: 200 },
  { kind: 'bound-volumes', what: 'pods with bound claims', pods: 1000 },
  { kind: 'volumes', what: 'pods whose volumes are made', pods: 1000 },
]

export const scheduler: SkiffMeasure = {
  name: 'scheduler',
  needs: 'skiff',
  summary: `pods a second that the scheduler places on ${nodes} nodes, by what they ask for`,
  async run() {
    const results: Result[] = []
    for (const { kind, what, pods, goal } of workloads) {
      const { stdout } = await promisify(execFile)(process.execPath, [program, String(nodes), String(pods), kind])
      const { podsPerSecond, podsPerCpuSecond } = JSON.parse(stdout) as { podsPerSecond: number; podsPerCpuSecond: number }
      results.push({
        what: `scheduler: ${what}`,
        value: podsPerSecond,
        unit: 'pods/s',
        how: `${pods} on ${nodes} nodes, API server and store in the same process (${podsPerCpuSecond} for each second of CPU)`,
        ...(goal ? { goal: { atLeast: goal } } : {}),
      })
    }
    return results
  },
}
