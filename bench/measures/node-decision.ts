/** The cluster autoscaler alone: how long it takes to decide which nodes to add, and which are not needed. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Result, SkiffMeasure } from '../measure.ts'

const program = join(import.meta.dirname, '../../src/autoscaler/testing/decision-time.ts')
const size = 1000

/** `kind` as the program knows it. */
const workloads = [
  { kind: 'alike', what: 'pods that are alike' },
  { kind: 'different', what: 'pods that all differ' },
  { kind: 'apart', what: 'pods that want a node each' },
]

export const nodeDecision: SkiffMeasure = {
  name: 'node-decision',
  needs: 'skiff',
  summary: `which nodes to add for ${size} pending pods on ${size} nodes`,
  async run() {
    const results: Result[] = []
    for (const { kind, what } of workloads) {
      const { stdout } = await promisify(execFile)(process.execPath, [program, String(size), String(size), kind])
      const { upMs, downMs, decided } = JSON.parse(stdout) as Record<'upMs' | 'downMs', { first: number; median: number }> & { decided: string }
      const how = `${size} pending on ${size} full nodes, two pools, median of 7 (the first: ${upMs.first} ms): ${decided}`
      results.push({ what: `node decision: ${what}`, value: upMs.median / 1000, unit: 's', how, goal: { atMost: 1 } })
      results.push({ what: `unneeded nodes, beside ${what}`, value: downMs.median / 1000, unit: 's', how: `${size} nodes looked through` })
    }
    return results
  },
}
