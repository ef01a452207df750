/** Processes of a cluster as the host sees them, to be killed. */
import { readdirSync, readFileSync } from 'node:fs'
import { serverProcess } from '../../src/cluster/stop.ts'
import { eventually, type TestCluster } from './cluster.ts'

function pidsWhere(holds: (read: (file: string) => string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return holds((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
      } catch {
        // It ended while we looked.
        return false
      }
    })
    .map(Number)
}

/** Those in the container's cgroup. `containerID` as in a status. */
export const processesOfContainer = (containerID: string): number[] => pidsWhere((read) => read('cgroup').includes(`/${containerID.replace(/^.*:\/\//, '')}`))

export const monitorOfContainer = (containerID: string): number[] =>
  pidsWhere((read) => read('cmdline').startsWith(`conmon\0`) && read('cmdline').includes(`\0${containerID.replace(/^.*:\/\//, '')}\0`))

/** Kills the server as a power cut does, and waits until another one serves. */
export async function killServer(cluster: TestCluster): Promise<void> {
  const server = serverProcess(cluster.running()?.pid ?? 0)
  if (!server) throw new Error('the cluster has no server')
  process.kill(server, 'SIGKILL')
  await eventually('another server is there', async () => {
    const now = serverProcess(cluster.running()?.pid ?? 0)
    return now !== undefined && now !== server
  })
  await eventually('the API answers', () => cluster.kubectl('get --raw /readyz'))
}
