/** Object reads and durable creates a second over HTTPS with 32 connections. */
import type { BenchCluster } from '../bench-cluster.ts'
import type { LoadJob, LoadResult } from '../load/load-job.ts'
import { hasWrk, runNodeLoad, runWrk } from '../load/run-load.ts'
import type { ClusterMeasure, Result } from '../measure.ts'

const connections = 32
const seconds = 5
const objects = 1000

const jobOf = (cluster: BenchCluster, what: Pick<LoadJob, 'verb' | 'name'>): LoadJob => {
  const { server, ca, token, namespace } = cluster
  return { server, ca, token, namespace, connections, seconds, objects, ...what }
}

function row(what: string, by: string, atLeast: number, result: LoadResult): Result {
  if (result.failed > result.requests / 100) throw new Error(`${result.failed} of ${result.requests} requests failed`)
  const how = `${by}, ${connections} connections, ${seconds} s: p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms`
  return { what, value: result.perSecond, unit: '/s', how, goal: { atLeast } }
}

export const reads: ClusterMeasure = {
  name: 'reads',
  needs: 'cluster',
  summary: 'object reads a second',
  async run(cluster) {
    await runNodeLoad({ ...jobOf(cluster, { verb: 'create', name: 'read' }), seconds: 20, requests: objects })
    const job = jobOf(cluster, { verb: 'get', name: 'read' })
    const results: Result[] = []
    if (hasWrk()) results.push(row('object reads', 'wrk', 5000, await runWrk(job)))
    results.push(row('object reads (Node client)', 'node:https on the same cores', 5000, await runNodeLoad(job)))
    return results
  },
}

export const creates: ClusterMeasure = {
  name: 'creates',
  needs: 'cluster',
  summary: 'durable creates a second',
  async run(cluster) {
    const results: Result[] = []
    if (hasWrk()) results.push(row('durable creates', 'wrk', 2500, await runWrk(jobOf(cluster, { verb: 'create', name: 'wrk' }))))
    results.push(
      row('durable creates (Node client)', 'node:https on the same cores', 2500, await runNodeLoad(jobOf(cluster, { verb: 'create', name: 'node' }))),
    )
    return results
  },
}
