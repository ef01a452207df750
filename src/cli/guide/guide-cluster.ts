/** How the guide reaches the cluster it shows: kubectl as a person would, the API, the store's file, the Ingress. */
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { createClient } from '../../client/api-client.ts'
import type { Client } from '../../client/client.ts'
import { createHttpTransport } from '../../client/http-transport.ts'
import { loadKubeconfig } from '../../client/kubeconfig.ts'
import type { DataDirectory, RunningCluster } from '../../cluster/data-directory.ts'
import { findKubectl } from '../../cluster/kubectl.ts'

export interface Finished {
  code: number
  stdout: string
  stderr: string
}

export interface GuideCluster {
  client: Client
  data: DataDirectory
  httpPort: number
  kubectl(words: string[]): Promise<Finished>
  /** {@link kubectl}, with what it printed; throws when it failed. */
  answer(words: string[]): Promise<string>
  /** The bytes that the store holds under a key now; undefined when nothing. */
  stored(key: string): Uint8Array | undefined
  /** Asks the Ingress from the host, as `curl -H 'Host: …'` does. */
  http(host: string, path: string, options?: { method?: string; json?: unknown }): Promise<{ status: number; body: string }>
  close(): void
}

export function openGuideCluster(data: DataDirectory, running: RunningCluster): GuideCluster {
  const transport = createHttpTransport(loadKubeconfig(data.kubeconfig))
  const client = createClient(transport, { userAgent: 'skiff-guide' })
  const database = new DatabaseSync(data.state, { readOnly: true })
  const binary = findKubectl()

  function kubectl(words: string[]): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const child = spawn(binary, words, { env: { ...process.env, KUBECONFIG: data.kubeconfig }, stdio: ['ignore', 'pipe', 'pipe'] })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text) => {
        stderr += text
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
    })
  }

  return {
    client,
    data,
    httpPort: running.httpPort,
    kubectl,
    async answer(words) {
      const { code, stdout, stderr } = await kubectl(words)
      if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${(stderr || stdout).trim()}`)
      return stdout.trim()
    },
    stored(key) {
      const row = database.prepare('SELECT log.value FROM live JOIN log ON log.revision = live.revision WHERE live.key = ?').get(key)
      return row?.value as Uint8Array | undefined
    },
    http(host, path, { method = 'GET', json } = {}) {
      return new Promise((resolve, reject) => {
        const call = request({
          host: '127.0.0.1',
          port: running.httpPort,
          path,
          method,
          headers: { host, ...(json ? { 'content-type': 'application/json' } : {}) },
          timeout: 10_000,
        })
        call.on('timeout', () => call.destroy(new Error('no answer within 10 s')))
        call.on('error', reject)
        call.on('response', (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text) => {
            body += text
          })
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        })
        call.end(json === undefined ? undefined : JSON.stringify(json))
      })
    },
    close() {
      transport.close()
      database.close()
    },
  }
}
