/** Clients that are killed in the middle of what streams: nothing of it goes on in the server, in the kubelet or in the pod. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serverProcess } from '../../src/cluster/stop.ts'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { podOf } from '../tools/pod-manifest.ts'

describe('a client that is killed leaves nothing behind', { timeout: 60_000 }, () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster()
    await cluster.kubectl('apply -f -', { stdin: podOf('web', 'echo begun; mkdir /www; exec httpd -f -p 8080 -h /www') })
    await cluster.kubectl('wait --for=condition=Ready pod/web --timeout=20s', { timeoutMs: 25_000 })
  })
  after(() => cluster?.remove())

  const descriptors = () => readdirSync(`/proc/${serverProcess(cluster.running()?.pid ?? 0)}/fd`).length
  /** How many requests of a kind the API server and the kubelet are at. */
  const underWay = async (subresource: string, path: string) => {
    const sum = (text: string, line: RegExp) => [...text.matchAll(line)].reduce((total, [, count]) => total + Number(count), 0)
    const server = sum(await cluster.kubectl('get --raw /metrics'), new RegExp(`^apiserver_longrunning_requests{.*${subresource}.* (\\d+)$`, 'gm'))
    const kubelet = await cluster.kubectl('get --raw /api/v1/nodes/node-1/proxy/metrics')
    return server + sum(kubelet, new RegExp(`^kubelet_http_inflight_requests{.*long_running="true".*path="${path}".* (\\d+)$`, 'gm'))
  }
  const processes = async () => (await cluster.kubectl('exec web -- ps')).split('\n').filter((line) => / (sleep|cat)/.test(line)).length

  const streams: [what: string, words: string[], subresource: string, path: string][] = [
    ['logs -f of a pod that says nothing', ['logs', '-f', 'web'], 'subresource="log"', 'containerLogs'],
    ['exec', ['exec', 'web', '--', 'sleep', '1000'], 'subresource="exec"', 'exec'],
    ['exec with input', ['exec', '-i', 'web', '--', 'cat'], 'subresource="exec"', 'exec'],
    ['attach', ['attach', 'web'], 'subresource="attach"', 'attach'],
    ['port-forward', ['port-forward', 'web', ':8080'], 'subresource="portforward"', 'portForward'],
    ['get --watch', ['get', 'configmaps', '--watch'], 'resource="configmaps".*scope="namespace"', 'none'],
  ]
  for (const [what, words, subresource, path] of streams)
    it(what, async () => {
      const before = { underWay: await underWay(subresource, path), processes: await processes() }
      const open = descriptors()
      const clients = Array.from({ length: 3 }, () => cluster.kubectl.start(words))
      await eventually('all are under way', async () => (await underWay(subresource, path)) >= before.underWay + 3)
      for (const client of clients) client.kill('SIGKILL')
      await eventually('none is any more', async () => (await underWay(subresource, path)) === before.underWay)
      await eventually('what they ran has ended', async () => (await processes()) === before.processes)
      // Connections of kubectl that ask for the above come and go.
      await eventually('the server has closed what it had open for them', async () => descriptors() <= open + 2)
    })

  it('and the server does not complain of it', () => {
    assert.doesNotMatch(readFileSync(join(cluster.dataDir, 'logs', 'skiff.log'), 'utf8'), /could not be written/)
  })
})
