/** A node's Service proxy has a credential of its own: it reads what proxies need, and nothing of it outlives the Node. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import { services } from '../../src/apiserver/services/services.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Client } from '../../src/client/client.ts'
import { createHttpTransport } from '../../src/client/http-transport.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { ClusterRoleBinding, EndpointSlice, Node, Service } from '../../src/client/resources.ts'
import { outdatedBinding } from '../../src/cluster/component-roles.ts'
import { ProxyToken, proxyTransport } from '../../src/cluster/join/proxy-token.ts'
import { ensureSystemObjects } from '../../src/cluster/system-objects.ts'
import { bootstrapUser } from '../../src/cluster/users.ts'
import { isApiError } from '../../src/machinery/errors.ts'
import { realClock as clock } from '../../src/machinery/real-clock.ts'
import { VirtualClock } from '../../src/machinery/virtual-clock.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { eventually } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

describe("a proxy's rights", () => {
  let api: TestApiServer
  let admin: Client
  let node: Kubectl
  let nodeClient: Client
  const open: { close(): void }[] = []
  before(async () => {
    api = await startApiServer({ parts: [services()] })
    admin = createClient(createInProcessTransport(api.server, { user: bootstrapUser, userAgent: 'test' }), { userAgent: 'test' })
    // As a cluster of before has it.
    await admin.create(ClusterRoleBinding, {
      metadata: { name: outdatedBinding },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:nodes' }],
    })
    await ensureSystemObjects(admin, { dnsServiceAddress: '10.96.0.10', dnsAddress: '192.0.2.1', nodeName: 'one' })
    node = await kubectl(await api.kubeconfigOf({ name: 'system:node:one', groups: ['system:nodes'] }))
    const { certificate, key } = await api.pki.nodeClient('one')
    const transport = createHttpTransport({ server: api.url, ca: api.pki.ca.certificate, certificate, key, authorization: () => undefined })
    open.push(transport)
    nodeClient = createClient(transport, { userAgent: 'test' })
    for (const name of ['one', 'two']) await admin.create(Node, { metadata: { name }, spec: {} })
  })
  after(async () => {
    for (const one of open) one.close()
    await api?.stop()
  })
  const refused = async (as: Kubectl, args: string, why: string, stdin?: string) => {
    const { code, stderr } = await as.run(args.split(' '), stdin === undefined ? {} : { stdin })
    assert.notEqual(code, 0, `kubectl ${args} was allowed`)
    assert.ok(stderr.includes(why), stderr)
  }
  const asking = '-n kube-system create token kube-proxy --bound-object-kind=Node --bound-object-name='

  it('are not those of the node, in a cluster of before neither', async () => {
    await refused(
      node,
      'get nodes',
      `nodes is forbidden: User "system:node:one" cannot list resource "nodes" in API group "" at the cluster scope: node 'one' cannot read all nodes, only its own Node object`,
    )
    await refused(node, 'get node two', `node 'one' cannot read 'two', only its own Node object`)
    const slices = 'cannot list resource "endpointslices" in API group "discovery.k8s.io"'
    for (const scope of ['-A', '-n kube-system']) await refused(node, `get endpointslices ${scope}`, slices)
    assert.match(await node('get services -A -o name'), /service\/kube-dns/)
    assert.equal(await node('get nodes --field-selector metadata.name=one -o name'), 'node/one\n')
  })

  it('are asked for by a node for itself alone', async () => {
    assert.match(await node(`${asking}one`), /^ey/)
    await refused(node, `${asking}two`, 'node requested token bound to a different node')
    await refused(node, '-n kube-system create token kube-proxy', 'node requested token not bound to a pod')
    await refused(node, `${asking}one --audience=vault`, 'for another audience than the API server')
    await refused(node, `${asking}one --duration=2h`, 'for more than 3600 seconds')
    await refused(node, `${asking}one`.replace('kube-proxy', 'default'), "no relationship found between node 'one' and this object")
    await refused(node, `${asking}one`.replace('kube-system', 'default'), "no relationship found between node 'one' and this object")
  })

  it('are to read what proxies need, and to write nothing of it', async () => {
    const token = (await node(`${asking}one`)).trim()
    const proxy = await kubectl(await api.kubeconfigOf({ token }))
    for (const kind of ['nodes', 'services -A', 'endpointslices -A']) await proxy(`get ${kind}`)
    const who = JSON.parse(await proxy('auth whoami -o json')).status.userInfo
    assert.equal(who.username, 'system:serviceaccount:kube-system:kube-proxy')
    assert.deepEqual(who.extra['authentication.kubernetes.io/node-name'], ['one'])
    const forbidden = 'is forbidden: User "system:serviceaccount:kube-system:kube-proxy" cannot'
    for (const kind of ['pods', 'secrets', 'configmaps', 'leases', 'clusterroles']) await refused(proxy, `get ${kind} -A`, forbidden)
    await refused(proxy, 'label node one a=b', forbidden)
    await refused(proxy, 'delete node two', forbidden)
    await refused(proxy, 'delete service kubernetes', forbidden)
    await refused(proxy, 'create configmap new', forbidden)
    await refused(proxy, 'run new --image=new', forbidden)
    await refused(proxy, `${asking}one`, forbidden)
  })

  it('are shown by a token that is followed by another before it ends', async () => {
    const virtual = new VirtualClock({ start: clock.now() })
    const source = new ProxyToken({ client: nodeClient, nodeName: 'one', clock: virtual })
    const [first, same] = await Promise.all([source.current(), source.current()])
    assert.equal(same, first, 'who comes meanwhile waits for the one that is asked for')
    await virtual.advance(47 * 60_000)
    assert.equal(await source.current(), first)
    await virtual.advance(2 * 60_000)
    const second = await source.current()
    assert.notEqual(second, first)
    assert.equal(await source.current(), second)
    source.refused(first)
    assert.equal(await source.current(), second, 'what was refused is long forgotten')
    source.refused(second)
    assert.notEqual(await source.current(), second)
  })

  it('are shown by the token of before while the API server does not give another, until it ends', async () => {
    const virtual = new VirtualClock({ start: clock.now() })
    let away = false
    const gone = new Error('away')
    const client: Pick<Client, 'subresource'> = {
      subresource: (...args: Parameters<Client['subresource']>) => (away ? Promise.reject(gone) : nodeClient.subresource(...args)),
    }
    const source = new ProxyToken({ client, nodeName: 'one', clock: virtual })
    const token = await source.current()
    away = true
    await virtual.advance(59 * 60_000)
    assert.equal(await source.current(), token)
    await virtual.advance(2 * 60_000)
    await assert.rejects(source.current(), gone)
    away = false
    assert.notEqual(await source.current(), token)
  })

  it('end with the Node, and come again with the next of its name', async () => {
    const transport = proxyTransport(api.url, api.pki.ca.certificate, { client: nodeClient, nodeName: 'one', clock })
    open.push(transport)
    const proxy = createClient(transport, { userAgent: 'test' })
    const informers = createInformerFactory({ client: proxy, clock, log })
    open.push({ close: informers.stop })
    const slices = informers.informer(EndpointSlice)
    await slices.whenSynced()
    const stolen = await kubectl(await api.kubeconfigOf({ token: (await node(`${asking}one`)).trim() }))
    await stolen('get nodes')
    await admin.delete(Node, { name: 'one' })
    await refused(stolen, 'get nodes', 'Unauthorized')
    await refused(node, `${asking}one`, 'nodes "one" not found')
    // It waits for the Node: nobody else can help it.
    const waiting = new AbortController()
    const listed = proxy.list(Service, { signal: waiting.signal })
    const stopped = new Error('stopped')
    setImmediate(() => waiting.abort(stopped))
    await assert.rejects(listed, stopped)
    const again = proxy.list(Service)
    await admin.create(Node, { metadata: { name: 'one' }, spec: {} })
    assert.ok((await again).items.length > 0)
    await refused(stolen, 'get nodes', 'Unauthorized')
    // What was watched before goes on.
    await admin.create(EndpointSlice, { metadata: { name: 'new', namespace: 'default' }, addressType: 'IPv4', endpoints: [] })
    await eventually('the new slice is seen', async () => slices.get('default/new') !== undefined, 10)
  })

  it('are withdrawn by whoever deletes the binding', async () => {
    await admin.delete(ClusterRoleBinding, { name: 'kubeadm:node-proxier' })
    const transport = proxyTransport(api.url, api.pki.ca.certificate, { client: nodeClient, nodeName: 'one', clock })
    open.push(transport)
    await assert.rejects(createClient(transport, { userAgent: 'test' }).list(Node), (error) => isApiError(error, 'Forbidden'))
  })
})
