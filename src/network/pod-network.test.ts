import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inNetworkNamespace, makeNetns, startTestPod, type TestPod } from '../../test/tools/network-namespace.ts'
import type { PodNetwork, PortMapping } from '../runtime/runtime.ts'
import { ensureNodeNetwork, type NodeNetwork } from './node-network.ts'
import { createPodNetwork } from './pod-network.ts'

const network: NodeNetwork = { bridge: 'skiff0', podCIDR: '10.244.0.0/24', clusterCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/12' }

inNetworkNamespace(import.meta.url, () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'skiff-network-'))
  const pods: TestPod[] = []
  let podNetwork: PodNetwork

  async function start(name: string, portMappings: PortMapping[] = []): Promise<{ pod: TestPod; ip: string }> {
    const netnsPath = makeNetns(name)
    const { ips } = await podNetwork.attach({ id: `sandbox-${name}`, namespace: 'default', name, netnsPath, portMappings })
    const pod = await startTestPod(name, netnsPath)
    pods.push(pod)
    return { pod, ip: ips[0] ?? '' }
  }
  const curl = (url: string) => execFileSync('curl', ['-sS', '-m', '1', url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const ask = (pod: TestPod, url: string) => JSON.parse(pod.exec('curl', '-sS', '-m', '1', url)) as { name: string; from: string }

  before(async () => {
    await ensureNodeNetwork(network)
    podNetwork = createPodNetwork({ network, stateDirectory })
  })
  after(async () => {
    for (const pod of pods) await pod.stop()
    rmSync(stateDirectory, { recursive: true })
  })

  test('pods reach each other, themselves and the node, and the node them, with addresses unchanged', async () => {
    const a = await start('a')
    const b = await start('b')
    assert.deepEqual([a.ip, b.ip], ['10.244.0.2', '10.244.0.3'])
    assert.equal(curl(`http://${a.ip}:8080/name`), 'a')
    const answer = ask(a.pod, `http://${b.ip}:8080/`)
    assert.deepEqual([answer.name, answer.from], ['b', a.ip])
    assert.equal(ask(b.pod, `http://${b.ip}:8080/`).name, 'b')
    assert.equal(ask(b.pod, 'http://127.0.0.1:8080/').name, 'b')
  })

  test('a host port leads to its pod: from the node, its loopback, other pods and the pod itself', async () => {
    const { pod, ip } = await start('c', [{ protocol: 'TCP', containerPort: 8080, hostPort: 18080, hostIP: '' }])
    for (const host of ['127.0.0.1', '10.244.0.1']) assert.equal(curl(`http://${host}:18080/name`), 'c')
    const [a] = pods
    assert.ok(a)
    assert.deepEqual(ask(a, 'http://10.244.0.1:18080/').from, '10.244.0.2')
    assert.equal(ask(pod, 'http://10.244.0.1:18080/').name, 'c')
    await podNetwork.detach({ id: 'sandbox-c', netnsPath: pod.netnsPath })
    await podNetwork.detach({ id: 'sandbox-c', netnsPath: pod.netnsPath })
    assert.throws(() => curl('http://127.0.0.1:18080/name'), /Couldn't connect|refused/)
    assert.throws(() => curl(`http://${ip}:8080/name`))
  })

  test('an address of the pod network without a pod is unreachable, and none outside has a route', () => {
    assert.throws(() => curl('http://10.244.7.7/'), /No route to host|unreachable|Couldn't connect/)
    const [a] = pods
    assert.ok(a)
    assert.throws(() => a.exec('curl', '-sS', '-m', '1', 'http://192.0.2.1/'))
  })

  test('after a restart what is still there keeps its address, and the rest is released', async () => {
    await ensureNodeNetwork(network)
    podNetwork = createPodNetwork({ network, stateDirectory })
    await podNetwork.retain(['sandbox-a'])
    assert.equal(curl('http://10.244.0.2:8080/name'), 'a')
    assert.throws(() => curl('http://10.244.0.3:8080/name'))
    const d = await start('d')
    assert.equal(d.ip, '10.244.0.4')
    assert.equal(ask(d.pod, 'http://10.244.0.2:8080/').name, 'a')
  })

  test('an attach that fails leaves nothing', async () => {
    await assert.rejects(podNetwork.attach({ id: 'bad', namespace: 'x', name: 'x', netnsPath: '/run/netns/nowhere', portMappings: [] }))
    assert.equal((await start('e')).ip, '10.244.0.6')
    const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'master', 'skiff0'], { encoding: 'utf8' })) as unknown[]
    assert.equal(links.length, 3)
  })
})
