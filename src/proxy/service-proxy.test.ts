import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { componentContext } from '../../test/tools/component-context.ts'
import { eventually, inNetworkNamespace, makeNetns, startTestPod, type TestPod } from '../../test/tools/network-namespace.ts'
import { Service } from '../apis/core/service.ts'
import { changeTimeAnnotation, EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import type { Component } from '../client/component.ts'
import { valueIn } from '../machinery/metrics/testing/read-metrics.ts'
import { parseStrictly } from '../machinery/metrics/testing/strict-parser.ts'
import type { V1Endpoint, V1ServiceSpec } from '../machinery/schema/generated/types.ts'
import { ensureNodeNetwork } from '../network/node-network.ts'
import { createPodNetwork } from '../network/pod-network.ts'
import { startServiceProxy } from './service-proxy.ts'

inNetworkNamespace(import.meta.url, () => {
  const context = componentContext()
  const { client } = context
  const network = { bridge: 'skiff0', podCIDR: '10.244.0.0/24', clusterCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/12' }
  const pods: TestPod[] = []
  let proxy: Component

  const curl = (url: string, ...options: string[]) =>
    execFileSync('curl', ['-sS', '-m', '2', ...options, url], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const pod = (index: number): TestPod => {
    const found = pods[index]
    assert.ok(found)
    return found
  }
  const address = (index: number) => `10.244.0.${2 + index}`
  const endpoint = (index: number, conditions: V1Endpoint['conditions'] = { ready: true }): V1Endpoint => ({
    addresses: [address(index)],
    nodeName: 'here',
    conditions,
  })

  async function createService(name: string, spec: V1ServiceSpec, endpoints: V1Endpoint[]): Promise<void> {
    await client.create(Service, { metadata: { name, namespace: 'default' }, spec })
    await client.create(EndpointSlice, {
      metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: 'echo', port: 8081, protocol: 'UDP' },
      ],
      endpoints,
    })
  }
  async function setEndpoints(name: string, endpoints: V1Endpoint[]): Promise<void> {
    const slice = await client.get(EndpointSlice, { namespace: 'default', name: `${name}-1` })
    await client.update(EndpointSlice, { ...slice, endpoints })
  }
  /** Names that answered, counted. */
  function answers(from: TestPod | undefined, url: string, times: number): Map<string, number> {
    const urls = Array.from({ length: times }, () => url)
    const args = ['-sS', '-m', '3', '-H', 'Connection: close', '-w', '\n', ...urls]
    const text = from ? from.exec('curl', ...args) : execFileSync('curl', args, { encoding: 'utf8' })
    const counts = new Map<string, number>()
    for (const name of text.split('\n').filter(Boolean)) counts.set(name, (counts.get(name) ?? 0) + 1)
    return counts
  }
  const ports = [
    { name: 'http', port: 80, protocol: 'TCP' },
    { name: 'echo', port: 81, protocol: 'UDP' },
  ]

  before(async () => {
    await ensureNodeNetwork(network)
    const podNetwork = createPodNetwork({ network, stateDirectory: '/run/state' })
    for (const name of ['a', 'b', 'c']) {
      const netnsPath = makeNetns(name)
      await podNetwork.attach({ id: name, namespace: 'default', name, netnsPath, portMappings: [] })
      pods.push(await startTestPod(name, netnsPath))
    }
    proxy = await startServiceProxy(context, {
      nodeName: 'here',
      clusterCIDRs: ['10.244.0.0/16'],
      serviceCIDR: '10.96.0.0/12',
      metrics: { host: '127.0.0.1', port: 10249 },
    })
  })
  after(async () => {
    await proxy.stop()
    context.informers.stop()
    for (const one of pods) await one.stop()
    assert.deepEqual(context.warnings, [])
  })

  test('a ClusterIP answers from the node and from pods, balanced over its endpoints', async () => {
    await createService('web', { clusterIP: '10.96.0.10', ports }, [endpoint(0), endpoint(1), endpoint(2)])
    await eventually('rules are loaded', () => curl('http://10.96.0.10/name'))
    for (const from of [undefined, pod(0)]) {
      const counts = answers(from, 'http://10.96.0.10/name', 150)
      assert.deepEqual([...counts.keys()].sort(), ['a', 'b', 'c'])
      for (const count of counts.values()) assert.ok(count > 25, JSON.stringify([...counts]))
    }
    await eventually('recorded', () => context.spans.some((span) => span.name === 'rules loaded' && span.about?.includes('default/web')))
    const told = parseStrictly(await (await fetch('http://127.0.0.1:10249/metrics')).text())
    const value = (name: string) => told.get(name)?.samples[0]?.value ?? 0
    assert.ok(value('kubeproxy_sync_proxy_rules_service_changes_total') >= 1 && value('kubeproxy_sync_proxy_rules_endpoint_changes_total') >= 1)
    assert.ok(value('kubeproxy_sync_proxy_rules_last_timestamp_seconds') > 1e9)
    const latencies = async () => valueIn(await (await fetch('http://127.0.0.1:10249/metrics')).text(), 'kubeproxy_network_programming_duration_seconds_count')
    assert.equal(await latencies(), 0)
    const tell = (at: number) =>
      client.patch(EndpointSlice, { namespace: 'default', name: 'web-1' }, 'merge', {
        metadata: { annotations: { [changeTimeAnnotation]: new Date(at).toISOString() } },
      })
    await tell(Date.now() - 3_600_000)
    await tell(Date.now())
    await eventually('the second is measured; the first was before anybody could follow', async () => (await latencies()) === 1)
  })

  test('pods see who asks, and a pod reaches itself through its Service', async () => {
    await createService('self', { clusterIP: '10.96.0.11', ports }, [endpoint(0)])
    await eventually('rules are loaded', () => curl('http://10.96.0.11/name'))
    assert.equal(JSON.parse(pod(1).exec('curl', '-sS', '-m', '2', 'http://10.96.0.11/')).from, address(1))
    const own = JSON.parse(pod(0).exec('curl', '-sS', '-m', '2', 'http://10.96.0.11/'))
    assert.deepEqual([own.name, own.from], ['a', '10.244.0.1'])
  })

  test('without endpoints, and on ports and addresses of no Service, connections are refused at once', async () => {
    await createService('empty', { clusterIP: '10.96.0.12', ports: [{ name: 'http', port: 80, nodePort: 30012 }], type: 'NodePort' }, [])
    const refused = /Couldn't connect|refused/
    await eventually('refused', () => refused.test(failure(() => curl('http://10.96.0.12/'))))
    for (const url of ['http://10.96.0.12/', 'http://10.96.0.10:9999/', 'http://10.111.1.1/', 'http://10.244.0.1:30012/']) {
      assert.match(
        failure(() => curl(url, '-m', '1')),
        refused,
        url,
      )
      assert.match(
        failure(() => pod(0).exec('curl', '-sS', '-m', '1', url)),
        refused,
        url,
      )
    }
    await setEndpoints('empty', [endpoint(1)])
    await eventually('served', () => curl('http://10.96.0.12/name') === 'b')
    assert.equal(curl('http://10.244.0.1:30012/name'), 'b')
    await setEndpoints('empty', [endpoint(1, { ready: false }), endpoint(2, { ready: false, serving: true, terminating: true })])
    await eventually('the one that ends', () => curl('http://10.96.0.12/name') === 'c')
  })

  test('a NodePort and external addresses lead in, with the source that the policy says', async () => {
    const ask = (outside: TestPod, url: string) => JSON.parse(outside.exec('curl', '-sS', '-m', '2', url)) as { name: string; from: string }
    // Someone outside the pod network: a namespace on a link of its own.
    const outside = {
      exec: (command: string, ...args: string[]) => execFileSync('ip', ['netns', 'exec', 'outside', command, ...args], { encoding: 'utf8' }),
    } as TestPod
    makeNetns('outside')
    const batch = 'link add up0 type veth peer name up1 netns outside\naddr add 192.0.2.1/24 dev up0\nlink set up0 up\n'
    execFileSync('ip', ['-batch', '-'], { input: batch })
    outside.exec(
      'sh',
      '-ec',
      'ip addr add 192.0.2.2/24 dev up1; ip link set up1 up; ip route add 10.96.0.0/12 via 192.0.2.1; ip route add 198.51.100.0/24 via 192.0.2.1',
    )

    const nodePorts = [{ name: 'http', port: 80, nodePort: 30080 }]
    await createService('node', { type: 'NodePort', clusterIP: '10.96.0.13', ports: nodePorts, externalIPs: ['198.51.100.1'] }, [endpoint(0), endpoint(1)])
    await createService(
      'near',
      { type: 'NodePort', clusterIP: '10.96.0.14', ports: [{ name: 'http', port: 80, nodePort: 30081 }], externalTrafficPolicy: 'Local' },
      [endpoint(2), { addresses: ['10.244.9.9'], nodeName: 'there', conditions: { ready: true } }],
    )
    await eventually('rules are loaded', () => curl('http://10.244.0.1:30080/name'))
    assert.deepEqual([...answers(outside, 'http://192.0.2.1:30080/name', 40).keys()].sort(), ['a', 'b'])
    assert.equal(ask(outside, 'http://192.0.2.1:30080/').from, '10.244.0.1')
    assert.equal(ask(outside, 'http://198.51.100.1/').from, '10.244.0.1')
    assert.equal(ask(outside, 'http://10.96.0.13/').from, '10.244.0.1')
    const near = await eventually('rules are loaded', () => ask(outside, 'http://192.0.2.1:30081/'))
    assert.deepEqual([near.name, near.from], ['c', '192.0.2.2'])
    assert.equal([...answers(outside, 'http://192.0.2.1:30081/name', 10).keys()].join(), 'c')
  })

  test('a load balancer may ask whether the node has endpoints', async () => {
    const spec = {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.18',
      ports: [{ name: 'http', port: 80 }],
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 32018,
    }
    await createService('balanced', spec, [endpoint(0)])
    const answer = await eventually('asked', () => fetch('http://127.0.0.1:32018/').catch(() => undefined))
    assert.deepEqual([answer.status, ((await answer.json()) as { localEndpoints: number }).localEndpoints], [200, 1])
    await setEndpoints('balanced', [])
    await eventually('none', async () => (await fetch('http://127.0.0.1:32018/')).status === 503)
  })

  test('session affinity: a client stays with its endpoint until that goes or the time is over', async () => {
    const sticky = { clusterIP: '10.96.0.15', sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } }, ports }
    await createService('sticky', sticky, [endpoint(0), endpoint(1), endpoint(2)])
    await eventually('rules are loaded', () => curl('http://10.96.0.15/name'))
    const chosen = answers(undefined, 'http://10.96.0.15/name', 20)
    assert.equal(chosen.size, 1, JSON.stringify([...chosen]))
    const [name = ''] = chosen.keys()
    const index = 'abc'.indexOf(name)
    await setEndpoints(
      'sticky',
      [0, 1, 2].filter((other) => other !== index).map((other) => endpoint(other)),
    )
    const next = await eventually('another answers', () =>
      [...answers(undefined, 'http://10.96.0.15/name', 20)].find(([other, count]) => other !== name && count === 20),
    )
    await setEndpoints('sticky', [endpoint(0), endpoint(1), endpoint(2)])
    assert.equal([...answers(undefined, 'http://10.96.0.15/name', 20).keys()].join(), next[0])
    await eventually('another, some time', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1100))
      return curl('http://10.96.0.15/name') !== next[0]
    })
  })

  test('UDP answers, and an endpoint that goes takes no client along', async () => {
    await createService('udp', { clusterIP: '10.96.0.16', ports }, [endpoint(0)])
    const socket = createSocket('udp4')
    const replies: string[] = []
    socket.on('message', (message) => replies.push(String(message)))
    socket.on('error', () => undefined)
    socket.bind()
    const says = (name: string) => () => {
      socket.send('who', 81, '10.96.0.16')
      return replies.at(-1)?.startsWith(`${name} `)
    }
    await eventually('a answers', says('a'))
    await setEndpoints('udp', [endpoint(1)])
    await eventually('b answers on the same socket', says('b'))
    socket.close()
  })

  test('a change of other endpoints drops no connection that stands', async () => {
    await createService('long', { clusterIP: '10.96.0.17', ports }, [endpoint(0)])
    await eventually('rules are loaded', () => curl('http://10.96.0.17/name'))
    const socket = connect(80, '10.96.0.17')
    let received = ''
    socket.setEncoding('utf8').on('data', (text) => {
      received += text
    })
    const request = () => socket.write('GET /name HTTP/1.1\r\nHost: x\r\n\r\n')
    const count = () => received.split('\r\n\r\na').length - 1
    request()
    await eventually('first answer', () => count() === 1)
    await setEndpoints('long', [endpoint(1)])
    await setEndpoints('web', [endpoint(1)])
    await eventually('moved', () => curl('http://10.96.0.17/name') === 'b')
    request()
    await eventually('second answer on the same connection', () => count() === 2)
    socket.destroy()
  })

  test('a Service that goes takes its rules along, and a new proxy takes over what is there', async () => {
    await proxy.stop()
    await client.delete(Service, { namespace: 'default', name: 'web' })
    await client.delete(Service, { namespace: 'default', name: 'self' })
    assert.equal(curl('http://10.96.0.10/name'), 'b')
    proxy = await startServiceProxy(context, {
      nodeName: 'here',
      clusterCIDRs: ['10.244.0.0/16'],
      serviceCIDR: '10.96.0.0/12',
      health: { host: '127.0.0.1', port: 10256 },
    })
    await eventually('gone', () => /Couldn't connect|refused/.test(failure(() => curl('http://10.96.0.10/name'))))
    assert.equal(curl('http://10.96.0.17/name'), 'b')
    assert.match(await (await fetch('http://127.0.0.1:10256/healthz')).text(), /"nodeEligible":true/)
  })
})

function failure(run: () => unknown): string {
  try {
    return `no failure: ${run()}`
  } catch (error) {
    return String((error as { stderr?: unknown }).stderr ?? error)
  }
}
