/** A cluster's life on a host: started, killed in every way, started again, gone without a trace. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { serverProcess } from '../../src/cluster/stop.ts'
import { busybox, eventually, skiff, startTestCluster, type TestCluster, upWords } from '../tools/cluster.ts'
import { cgroupsOf, hostState, processesOf } from '../tools/host-state.ts'

const run = promisify(execFile)

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: keeper, labels: { app: keeper } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: ${busybox}
      command: [sh, -c, 'echo started at $(date +%s); echo "$$" > /tmp/pid; mkdir -p /www; echo kept > /www/index.html; exec httpd -f -p 8080 -h /www']
      readinessProbe: { httpGet: { path: /index.html, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: kept }
spec: { selector: { app: keeper }, ports: [{ port: 80, targetPort: 8080 }] }
`

describe('a cluster on a host', () => {
  const host = hostState()
  let cluster: TestCluster
  before(async () => {
    cluster = await startTestCluster()
  })
  after(() => cluster?.remove())

  const keeper = async () =>
    JSON.parse(await cluster.kubectl('get pod keeper -o json')) as {
      metadata: { uid: string }
      status: { podIP: string; containerStatuses: { containerID: string; restartCount: number; ready: boolean }[] }
    }
  const ready = (what: string) => eventually(what, async () => ((await keeper()).status.containerStatuses[0]?.ready ? keeper() : undefined))

  it('leaves the host as it was while it runs', () => {
    assert.deepEqual(hostState(), host)
  })

  it('runs a pod whose Service answers', async () => {
    await cluster.kubectl('apply -f -', { stdin: pod })
    await ready('the pod is ready')
    const answer = await eventually('the Service answers', async () => cluster.kubectl('exec keeper -- wget -qO- http://kept/'))
    assert.equal(answer, 'kept\n')
  })

  it('goes on with its containers when the server is killed, and finds them again', async () => {
    const before_ = await keeper()
    const server = serverProcess(cluster.running()?.pid ?? 0)
    assert.ok(server)
    process.kill(server, 'SIGKILL')
    await eventually('another server is there', async () => {
      const now = serverProcess(cluster.running()?.pid ?? 0)
      return now !== undefined && now !== server
    })
    await eventually('the API answers', () => cluster.kubectl('get --raw /readyz'))
    const after_ = await ready('the pod is ready again')
    assert.equal(after_.metadata.uid, before_.metadata.uid)
    assert.equal(after_.status.containerStatuses[0]?.containerID, before_.status.containerStatuses[0]?.containerID)
    assert.equal(after_.status.containerStatuses[0]?.restartCount, 0)
    assert.equal(after_.status.podIP, before_.status.podIP)
    assert.equal(await eventually('exec works', () => cluster.kubectl('exec keeper -- wget -qO- http://kept/')), 'kept\n')
    await cluster.kubectl(`run second --image=${busybox} --restart=Never --command -- true`)
    await eventually('new pods run', async () => (await cluster.kubectl('get pod second -o jsonpath={.status.phase}')) === 'Succeeded')
  })

  it('refuses a second cluster over the same directory, in one sentence', async () => {
    await assert.rejects(run(skiff, upWords(cluster.dataDir)), /a cluster is already running over/)
  })

  it('is gone at once when its first process is killed: nothing is left but the data directory and empty cgroups', async () => {
    const running = cluster.running()
    assert.ok(running)
    process.kill(running.pid, 'SIGKILL')
    await eventually('its processes are gone', async () => processesOf(cluster.dataDir).length === 0)
    assert.deepEqual(hostState(), host)
  })

  it('starts again over what it left, with every object, and runs its pods again', async () => {
    await run(skiff, upWords(cluster.dataDir))
    const now = await ready('the pod runs again')
    assert.ok((now.status.containerStatuses[0]?.restartCount ?? 0) <= 1)
    assert.equal(await eventually('the Service answers', () => cluster.kubectl('exec keeper -- wget -qO- http://kept/')), 'kept\n')
  })

  it('leaves nothing when it is stopped, not even cgroup directories', async () => {
    const running = cluster.running()
    assert.ok(running)
    await run(skiff, ['down', '--data-dir', cluster.dataDir])
    assert.deepEqual(processesOf(cluster.dataDir), [])
    assert.deepEqual(cgroupsOf(running.id), [])
    assert.deepEqual(hostState(), host)
  })

  it('says in one sentence what is wrong with how it is started', async () => {
    const { createServer } = await import('node:net')
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const address = taken.address()
    const port = String(address && typeof address === 'object' ? address.port : 0)
    const words = upWords(cluster.dataDir)
    words[words.indexOf('--api-port') + 1] = port
    await assert.rejects(run(skiff, words), new RegExp(`port ${port} for the API is taken: .*--api-port`))
    taken.close()
    await assert.rejects(run(skiff, ['up', '--egress', 'maybe']), /--egress must be on or off/)
    await assert.rejects(run(skiff, ['up', '--api-port', '70000', '--data-dir', cluster.dataDir]), /--api-port must be a port/)
  })
})
