/** Components outside a cluster stand for election with those inside: never do two of a kind act, and one always does. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { serverProcess } from '../../src/cluster/stop.ts'
import { busybox, eventually, skiff, startTestCluster, type TestCluster, upWords } from '../tools/cluster.ts'

const run = promisify(execFile)

describe('leader election', () => {
  let cluster: TestCluster
  const children: ChildProcess[] = []
  before(async () => {
    cluster = await startTestCluster()
  })
  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await cluster?.remove()
  })

  const start = (...words: string[]) => {
    const child = spawn(skiff, [...words, '--kubeconfig', join(cluster.dataDir, 'kubeconfig')], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    const heard = { text: '' }
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        heard.text += chunk
      })
    return {
      leads: () => heard.text.includes('leading'),
      heard,
      end: async (signal: NodeJS.Signals) => {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill(signal)
        await ended
      },
    }
  }
  const holder = async (lease: string) => cluster.kubectl(`get lease -n kube-system ${lease} -o jsonpath={.spec.holderIdentity}`)
  const again = async (...more: string[]) => {
    const running = cluster.running()
    assert.ok(running)
    await run(skiff, ['down', '--data-dir', cluster.dataDir])
    const words = upWords(cluster.dataDir)
    // The kubeconfig of those outside stays right.
    words[words.indexOf('--api-port') + 1] = String(running.apiPort)
    await run(skiff, [...words, ...more])
  }
  const runsPod = async (name: string) => {
    await cluster.kubectl(`run ${name} --image=${busybox} --restart=Never --command -- true`)
    await eventually(`${name} runs`, async () => (await cluster.kubectl(`get pod ${name} -o jsonpath={.status.phase}`)) === 'Succeeded', 40)
  }

  it('the components of a cluster hold their Leases as soon as it is up, and again after the server was killed', async () => {
    const leases = ['kube-controller-manager', 'kube-scheduler']
    const before_ = await Promise.all(leases.map(holder))
    assert.match(before_.join(' '), /^skiff_\S+ skiff_\S+$/)
    const server = serverProcess(cluster.running()?.pid ?? 0)
    assert.ok(server)
    process.kill(server, 'SIGKILL')
    await eventually('another server is there', async () => {
      const now = serverProcess(cluster.running()?.pid ?? 0)
      return now !== undefined && now !== server
    })
    await eventually('the API answers', () => cluster.kubectl('get --raw /readyz'))
    const started = performance.now()
    await runsPod('after-kill')
    assert.ok(performance.now() - started < 10_000, 'it leads before its old Lease would have run out')
    assert.deepEqual(await Promise.all(leases.map(holder)), before_)
    const transitions = await cluster.kubectl('get lease -n kube-system kube-scheduler -o jsonpath={.spec.leaseTransitions}')
    assert.equal(transitions, '0')
  })

  it('a scheduler from outside waits while the one inside leads, and takes over when there is none', async () => {
    const outside = start('scheduler')
    const inside = await holder('kube-scheduler')
    await runsPod('inside')
    assert.equal(await holder('kube-scheduler'), inside)
    assert.ok(!outside.leads())
    await again('--without', 'scheduler')
    await eventually('the one outside leads', async () => outside.leads())
    await runsPod('outside')
    assert.notEqual(await holder('kube-scheduler'), inside)

    const second = start('scheduler')
    const first = await holder('kube-scheduler')
    await runsPod('first')
    assert.ok(!second.leads())
    // Killed without a word: the Lease must run out.
    await outside.end('SIGKILL')
    await eventually('the second leads', async () => second.leads(), 40)
    assert.notEqual(await holder('kube-scheduler'), first)
    await runsPod('second')
    // Ended gently it gives the Lease back.
    await second.end('SIGTERM')
    assert.equal(await holder('kube-scheduler'), '')
  })

  it('the same of controller managers, which make volumes and publish the authority as the one inside does', async () => {
    await again('--without', 'controller-manager')
    const first = start('controller-manager', '--volume-dir', join(cluster.dataDir, 'volumes'))
    await eventually('the first leads', async () => first.leads())
    const second = start('controller-manager', '--volume-dir', join(cluster.dataDir, 'volumes'))
    await cluster.kubectl('create namespace shop')
    await eventually('the authority is published', () => cluster.kubectl('get configmap -n shop kube-root-ca.crt'))
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } }
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const write = { name: 'main', image: busybox, command: ['sh', '-c', 'echo kept > /data/file'], volumeMounts: [{ name: 'data', mountPath: '/data' }] }
    const objects = [
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: claim },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'writer', namespace: 'shop' }, spec: { restartPolicy: 'Never', containers: [write], volumes } },
    ]
    await eventually('the namespace is ready', () => cluster.kubectl('get serviceaccount -n shop default'))
    for (const object of objects) await cluster.kubectl('apply -f -', { stdin: JSON.stringify(object) })
    await eventually('it wrote', async () => (await cluster.kubectl('get pod -n shop writer -o jsonpath={.status.phase}')) === 'Succeeded')
    assert.ok(!second.leads())
    await first.end('SIGKILL')
    await cluster.kubectl(`create deployment -n shop web --image=${busybox} -- sleep 1000`)
    await eventually('the second leads', async () => second.leads(), 40)
    await cluster.kubectl('rollout status -n shop deployment web --timeout=30s', { timeoutMs: 40_000 })
    await cluster.kubectl('delete namespace shop --wait=false')
    await second.end('SIGTERM')
    assert.equal(await holder('kube-controller-manager'), '')
  })
})
