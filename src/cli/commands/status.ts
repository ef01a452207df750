import { readFileSync } from 'node:fs'
import { runningCluster } from '../../cluster/data-directory.ts'
import { serverProcess } from '../../cluster/stop.ts'
import type { Command } from '../command.ts'
import { megabytes } from '../numbers.ts'
import { dataDirOf, dataDirOption } from './data-dir.ts'

function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1024
}

export const status: Command = {
  name: 'status',
  summary: 'Says whether a cluster runs over the data directory. Exit code 0 when it does, 3 when not.',
  options: { 'data-dir': dataDirOption },
  async run(values) {
    const data = dataDirOf(values)
    const cluster = runningCluster(data)
    if (!cluster) {
      console.log(`no cluster is running over ${data.root}`)
      return 3
    }
    const server = serverProcess(cluster.pid)
    console.log(`running  process ${cluster.pid}, server ${server ? `${server} (${megabytes(memoryOf(server))})` : 'starting again'}`)
    console.log(`API      https://127.0.0.1:${cluster.apiPort}, context '${cluster.context}' in ${cluster.kubeconfig}`)
    console.log(`Ingress  http://127.0.0.1:${cluster.httpPort} and https://127.0.0.1:${cluster.httpsPort}`)
    console.log(`data     ${data.root}`)
    return 0
  },
}
