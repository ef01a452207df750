/** Runs a load generator to its end: our own in a process of its own, or `wrk`, which takes less of the machine. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configMap, type LoadJob, type LoadResult } from './load-job.ts'

function outputOf(program: string, words: string[], env: Record<string, string> = {}): Promise<string> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}`))))
  })
}

export async function runNodeLoad(job: LoadJob): Promise<LoadResult> {
  const output = await outputOf(process.execPath, [join(import.meta.dirname, 'node-load.ts')], { SKIFF_BENCH_JOB: JSON.stringify(job) })
  return JSON.parse(output) as LoadResult
}

export const hasWrk = () => spawnSync('wrk', ['--version']).error === undefined

/** The token is told in a file: arguments are seen by everybody. */
export async function runWrk(job: LoadJob): Promise<LoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-bench-wrk-'))
  try {
    const script = join(directory, 'requests.lua')
    writeFileSync(script, wrkScript(job), { mode: 0o600 })
    return parse(await outputOf('wrk', ['-t1', `-c${job.connections}`, `-d${job.seconds}s`, '-s', script, job.server]))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function wrkScript(job: LoadJob): string {
  const path = `/api/v1/namespaces/${job.namespace}/configmaps`
  const body = JSON.stringify(configMap(job.namespace, '@@'))
  const [before, after] = body.split('@@')
  const request =
    job.verb === 'create'
      ? `return wrk.format('POST', '${path}', headers, [[${before}]] .. '${job.name}-' .. number .. [[${after}]])`
      : `return wrk.format('GET', '${path}/${job.name}-' .. (number % ${job.objects}), headers)`
  return `local number = 0
local headers = { ['Authorization'] = 'Bearer ${job.token}', ['Content-Type'] = 'application/json' }
request = function()
  number = number + 1
  ${request}
end
done = function(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('RESULT %d %d %d %f %f\\n', summary.requests, summary.duration, failed, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`
}

function parse(output: string): LoadResult {
  const match = /RESULT (\d+) (\d+) (\d+) (\S+) (\S+)/.exec(output)
  if (!match) throw new Error(`wrk told no result: ${output}`)
  const [requests = 0, microseconds = 1, failed = 0, p50 = 0, p99 = 0] = match.slice(1).map(Number)
  return { perSecond: (requests - failed) / (microseconds / 1e6), requests, failed, p50, p99 }
}
