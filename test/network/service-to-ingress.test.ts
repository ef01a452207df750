/**
 * From a Service to the page behind an Ingress, with the real API server: each component speaks as its own user, with
 * the rights that it has in a cluster and no others.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import type { UserInfo } from '../../src/apiserver/request.ts'
import { services } from '../../src/apiserver/services/services.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Component, ComponentContext, Logger } from '../../src/client/component.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger } from '../../src/client/logger.ts'
import { EndpointSlice, Event, Ingress, IngressClass, Namespace, Service } from '../../src/client/resources.ts'
import { proxyUser, serviceAccountUser } from '../../src/cluster/users.ts'
import { startClusterDns } from '../../src/dns/cluster-dns.ts'
import { clusterDnsObjects } from '../../src/dns/manifests.ts'
import { nginxIngressClass } from '../../src/ingress/ingress-class.ts'
import { startIngressController } from '../../src/ingress/ingress-controller.ts'
import { realClock } from '../../src/machinery/real-clock.ts'
import { ensureNodeNetwork } from '../../src/network/node-network.ts'
import { createPodNetwork } from '../../src/network/pod-network.ts'
import { startServiceProxy } from '../../src/proxy/service-proxy.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { eventually, inNetworkNamespace, makeNetns, startTestPod, type TestPod } from '../tools/network-namespace.ts'

const run = promisify(execFile)

inNetworkNamespace(import.meta.url, () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-service-'))
  const stops: (() => unknown)[] = []
  const warnings: string[] = []
  const log: Logger = {
    ...silentLogger,
    warn: (message, fields) => void warnings.push(`${message} ${String(fields?.error)}`),
    with: () => log,
    error: (message, fields) => void warnings.push(`${message} ${String(fields?.error)}`),
  }
  let api: TestApiServer
  let pod: TestPod

  const clientOf = (user: UserInfo, agent: string) => createClient(createInProcessTransport(api.server, { user, userAgent: agent }), { userAgent: agent })
  function contextOf(user: UserInfo, agent: string): ComponentContext {
    const client = clientOf(user, agent)
    const informers = createInformerFactory({ client, clock: realClock, log })
    stops.push(() => informers.stop())
    return { client, informers, clock: realClock, log, span: () => undefined }
  }
  const admin = () => clientOf({ name: 'admin', groups: ['system:masters', 'system:authenticated'] }, 'test')

  before(async () => {
    api = await startApiServer({ parts: [services({ clusterIpRange: '10.96.0.0/12' })] })
    const network = { bridge: 'skiff0', podCIDR: '10.244.0.0/24', serviceCIDR: '10.96.0.0/12' }
    await ensureNodeNetwork(network)
    const podNetwork = createPodNetwork({ network, stateDirectory: directory })
    const netnsPath = makeNetns('web')
    await podNetwork.attach({ id: 'web', namespace: 'shop', name: 'web', netnsPath, portMappings: [] })
    pod = await startTestPod('web', netnsPath)
    const components: Component[] = [
      await startServiceProxy(contextOf(proxyUser, 'kube-proxy'), { nodeName: 'node-1', clusterCIDRs: ['10.244.0.0/16'], serviceCIDR: '10.96.0.0/12' }),
      await startClusterDns(contextOf(serviceAccountUser('kube-system', 'coredns'), 'coredns'), {
        listen: [{ address: '10.244.0.1', port: 53 }],
        upstream: 'off',
      }),
      await startIngressController(contextOf(serviceAccountUser('kube-system', 'ingress-nginx'), 'ingress-nginx'), {
        http: [{ address: '127.0.0.1', port: 8080 }],
        https: [{ address: '127.0.0.1', port: 8443 }],
        publishAddress: '127.0.0.1',
        stateDirectory: join(directory, 'ingress'),
      }),
    ]
    for (const component of components) stops.unshift(() => component.stop())
  })
  after(async () => {
    for (const stop of stops) await stop()
    await pod.stop()
    await api.stop()
    rmSync(directory, { recursive: true })
    assert.deepEqual(warnings, [])
  })

  test('a Service gets its address, its name and its way in', async () => {
    const client = admin()
    const dns = clusterDnsObjects({ clusterIP: '10.96.0.10', addresses: ['10.244.0.1'] })
    await client.create(Service, dns.service)
    await client.create(EndpointSlice, dns.endpointSlice)
    await client.create(IngressClass, nginxIngressClass())
    await client.create(Namespace, { metadata: { name: 'shop' }, spec: {} })
    const service = await client.create(Service, { metadata: { name: 'web', namespace: 'shop' }, spec: { ports: [{ name: 'http', port: 80 }] } })
    await client.create(EndpointSlice, {
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready: true } }],
    })
    const paths = [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { name: 'http' } } } }]
    await client.create(Ingress, { metadata: { name: 'web', namespace: 'shop' }, spec: { rules: [{ host: 'app.example.com', http: { paths } }] } })

    await eventually('by its address', async () => (await run('curl', ['-sS', '-m', '2', `http://${service.spec.clusterIP}/name`])).stdout === 'web')
    // By its name, from the pod, asking the Service of the DNS.
    const lookup = `const { Resolver } = require('node:dns').promises; const r = new Resolver(); r.setServers(['10.96.0.10']); r.resolve4('web.shop.svc.cluster.local').then(String).then(console.log)`
    await eventually(
      'by its name',
      async () => (await run('ip', ['netns', 'exec', 'web', process.execPath, '-e', lookup])).stdout.trim() === service.spec.clusterIP,
    )
    await eventually(
      'by the Ingress',
      async () => (await run('curl', ['-sS', '-m', '2', '-H', 'Host: app.example.com', 'http://127.0.0.1:8080/name'])).stdout === 'web',
    )
    await eventually(
      'status',
      async () => (await client.get(Ingress, { namespace: 'shop', name: 'web' })).status?.loadBalancer?.ingress?.[0]?.ip === '127.0.0.1',
    )
    await eventually('event', async () => (await client.list(Event, { namespace: 'shop' })).items.some((event) => event.reason === 'Sync'))
  })
})
