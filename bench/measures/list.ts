/** A list of 10,000 ConfigMaps, read whole by one client. */
import * as https from 'node:https'
import type { BenchCluster } from '../bench-cluster.ts'
import { runNodeLoad } from '../load/run-load.ts'
import type { ClusterMeasure } from '../measure.ts'
import { median } from '../statistics.ts'

const wanted = 10_000
const rounds = 5

function readList({ server, ca, token, namespace }: BenchCluster): Promise<{ ms: number; bytes: number }> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps?labelSelector=app%3Dbench&limit=${wanted}`
    const request = https.get(`${server}${path}`, { agent: false, ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 ? resolve({ ms: performance.now() - started, bytes }) : reject(new Error(`${response.statusCode}`)),
      )
    })
    request.on('error', reject)
  })
}

export const list: ClusterMeasure = {
  name: 'list',
  needs: 'cluster',
  summary: 'a list of 10,000 ConfigMaps',
  async run(cluster) {
    const { server, ca, token, namespace } = cluster
    await runNodeLoad({ server, ca, token, namespace, connections: 32, seconds: 30, requests: wanted, verb: 'create', name: 'list', objects: 0 })
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < rounds; round++) {
      const answer = await readList(cluster)
      times.push(answer.ms)
      bytes = answer.bytes
    }
    return [
      {
        what: `list of ${wanted.toLocaleString('en')} ConfigMaps`,
        value: median(times),
        unit: 'ms',
        how: `${(bytes / 1e6).toFixed(1)} MB of JSON, median of ${rounds}`,
      },
    ]
  },
}
