/** A load generator in a process of its own: so many connections over `node:https`, each with one request at a time. */
import * as https from 'node:https'
import { quantile } from '../statistics.ts'
import { configMap, type LoadJob, type LoadResult, simulatedPod } from './load-job.ts'

const job = JSON.parse(process.env.SKIFF_BENCH_JOB ?? '{}') as LoadJob
const url = new URL(job.server)
const agent = new https.Agent({ keepAlive: true, maxSockets: job.connections, ca: job.ca })
const authorization = `Bearer ${job.token}`
const path = `/api/v1/namespaces/${job.namespace}/${job.verb === 'create-pods' ? 'pods' : 'configmaps'}`
const made = job.verb === 'create-pods' ? simulatedPod : configMap

function send(number: number): Promise<number> {
  const creating = job.verb !== 'get'
  const body = creating ? JSON.stringify(made(job.namespace, `${job.name}-${number}`)) : undefined
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        agent,
        host: url.hostname,
        port: url.port,
        method: creating ? 'POST' : 'GET',
        path: creating ? path : `${path}/${job.name}-${number % job.objects}`,
        headers: { authorization, ...(body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {}) },
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

const latencies: number[] = []
let next = 0
let failed = 0
const started = performance.now()
const end = started + job.seconds * 1000

async function connection(): Promise<void> {
  while (performance.now() < end && next < (job.requests ?? Number.POSITIVE_INFINITY)) {
    const number = next++
    const before = performance.now()
    const status = await send(number).catch(() => 0)
    latencies.push(performance.now() - before)
    if (status < 200 || status > 299) failed++
  }
}

await Promise.all(Array.from({ length: job.connections }, connection))
const seconds = (performance.now() - started) / 1000
agent.destroy()
const result: LoadResult = {
  perSecond: (latencies.length - failed) / seconds,
  requests: latencies.length,
  failed,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
}
console.log(JSON.stringify(result))
