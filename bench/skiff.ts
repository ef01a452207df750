/** The command line as a user calls it, over directories that are removed in the end. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dataDirectory, runningCluster } from '../src/cluster/data-directory.ts'

const binary = join(import.meta.dirname, '../bin/skiff')

export interface StartTimes {
  /** Milliseconds from the call to the line that says so. */
  apiReady: number
  nodeReady: number
}

export const temporaryDirectory = () => mkdtempSync(join(tmpdir(), 'skiff-bench-'))

const patienceMs = 90_000

/** Runs to its end, and is interrupted when that takes too long; rejects with what it said when it failed. `onLine` hears each line of its output. */
export function skiff(words: readonly string[], onLine: (line: string) => void = () => {}, env: Record<string, string> = {}): Promise<void> {
  const child = spawn(binary, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const timer = setTimeout(() => child.kill('SIGINT'), patienceMs)
  let said = ''
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else reject(new Error(`skiff ${words[0]} ended with ${code}: ${said.trim().slice(-500)}`))
    })
  })
}

export const kubeconfigOf = (dataDir: string) => join(dataDir, 'admin.kubeconfig')

/** `skiff up --detach`, on free ports and without a way out. */
export async function up(dataDir: string, env: Record<string, string> = {}, words: readonly string[] = []): Promise<StartTimes> {
  const times: StartTimes = { apiReady: Number.NaN, nodeReady: Number.NaN }
  const started = performance.now()
  const ports = ['--api-port', '0', '--http-port', '0', '--https-port', '0']
  await skiff(
    ['up', '--detach', '--egress', 'off', '--data-dir', dataDir, '--kubeconfig', join(dataDir, 'user.kubeconfig'), ...ports, ...words],
    (line) => {
      if (line.startsWith('the API is ready')) times.apiReady = performance.now() - started
      if (line.startsWith('the node is ready')) times.nodeReady = performance.now() - started
    },
    env,
  )
  return times
}

export const down = (dataDir: string) => skiff(['down', '--data-dir', dataDir])

export async function remove(dataDir: string): Promise<void> {
  await down(dataDir)
  rmSync(dataDir, { recursive: true, force: true })
}

/** The cluster's first process, of which all others come. */
export const firstProcess = (dataDir: string) => runningCluster(dataDirectory(dataDir))?.pid
