/** Parts of a cluster that are killed behind its back: the Ingress' nginx, and the process that starts programs. All heals, nothing is left. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { serverProcess } from '../../src/cluster/stop.ts'
import { busybox, eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { processesOf } from '../tools/host-state.ts'
import { podOf } from '../tools/pod-manifest.ts'

const ingress = (path: string) => `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { rules: [{ http: { paths: [{ path: ${path}, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }
`
const web = `${podOf('web', 'mkdir -p /www/one /www/two; echo one > /www/one/index.html; echo two > /www/two/index.html; exec httpd -f -p 8080 -h /www', {
  container: 'readinessProbe: { httpGet: { path: /one/, port: 8080 }, periodSeconds: 1 }',
})}
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`

describe('parts that are killed', { timeout: 60_000 }, () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster()
    await cluster.kubectl('apply -f -', { stdin: web + ingress('/one') })
    await eventually('the Ingress answers', async () => (await page('/one/')) === '200 one\n')
  })
  after(() => cluster?.remove())

  const page = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${cluster.running()?.httpPort}${path}`)
    return `${answer.status} ${answer.status === 200 ? await answer.text() : ''}`
  }
  const childrenOf = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  const server = () => serverProcess(cluster.running()?.pid ?? 0) ?? 0
  /** Children of the server whose command line has the word. */
  const children = (word: string) => childrenOf(server()).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word))
  /** In the cluster's network namespace: nginx writes its title over its environment. */
  const workersOfNginx = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('nginx: worker') &&
          readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync(`/proc/${server()}/ns/net`)
        )
      } catch {
        // It ended while we looked, or is no process.
        return false
      }
    })

  it("the master of nginx: the next one serves what changes, and the old one's workers end", async () => {
    const [master = 0] = children('nginx')
    const workers = childrenOf(master).length
    process.kill(master, 'SIGKILL')
    await cluster.kubectl('apply -f -', { stdin: ingress('/two') })
    await eventually('the Ingress follows', async () => (await page('/two/')) === '200 two\n' && (await page('/one/')).startsWith('404'))
    await eventually(
      'only its own workers are there',
      async () => workersOfNginx().length === workers && childrenOf(children('nginx')[0] ?? 0).length === workers,
    )
  })

  it('all workers of nginx', async () => {
    const [master = 0] = children('nginx')
    for (const worker of childrenOf(master)) process.kill(worker, 'SIGKILL')
    await eventually('it answers', async () => (await page('/two/')) === '200 two\n')
  })

  it('the process that starts programs, again and again while pods start', async () => {
    await cluster.kubectl(`create deployment many --image=${busybox} -- sleep 1000`)
    for (const replicas of [3, 6, 9]) {
      await cluster.kubectl(`scale deployment many --replicas=${replicas}`)
      const [spawner = 0] = await eventually('it is there', async () => (children('spawner').length > 0 ? children('spawner') : undefined))
      process.kill(spawner, 'SIGKILL')
    }
    await cluster.kubectl('rollout status deployment/many --timeout=30s', { timeoutMs: 35_000 })
    assert.equal(await cluster.kubectl('exec web -- cat /www/one/index.html'), 'one\n')
  })

  it('leave nothing when the cluster is stopped', async () => {
    await cluster.skiff('down', '--data-dir', cluster.dataDir)
    assert.deepEqual(processesOf(cluster.dataDir), [])
  })
})
