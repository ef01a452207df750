/** Services and names as a user meets them, asked from inside containers. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { nodeMounts, nodeProgram, nodeVolumes } from '../tools/host-node.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

/** Answers its own name. */
const answering = 'mkdir /www; hostname > /www/index.html; httpd -p 8080 -h /www; '
const ready = 'readinessProbe: { httpGet: { path: /, port: web }, periodSeconds: 1 }\nports: [{ name: web, containerPort: 8080 }]'
const udpServer = "const s = require('dgram').createSocket('udp4'); s.on('message', (_, from) => s.send('udp', from.port, from.address)).bind(8081)"
const udpClient =
  "const s = require('dgram').createSocket('udp4'); s.on('message', (text) => { console.log(String(text)); s.close() }); s.send('?', 81, process.argv[1]); setTimeout(() => process.exit(1), 2000).unref()"
const service = (name: string, spec: string) => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ${spec} }
`

const manifests = [
  podOf('web-a', answering + forever, { container: ready, labels: 'tier: web' }),
  podOf('web-b', answering + forever, { container: ready, labels: 'tier: web' }),
  podOf('client', forever, { spec: 'hostAliases: [{ ip: 192.0.2.7, hostnames: [alias.example, second.example] }]' }),
  podOf('on-node', forever, { spec: 'hostNetwork: true\ndnsPolicy: ClusterFirstWithHostNet' }),
  podOf('own-dns', forever, {
    spec: 'dnsPolicy: None\ndnsConfig: { nameservers: [10.96.0.10], searches: [default.svc.cluster.local, example.org], options: [{ name: ndots, value: "2" }, { name: edns0 }] }',
  }),
  podOf('named', answering + forever, { container: ready, spec: 'hostname: first\nsubdomain: group' }),
  podOf('unready', answering + forever, {
    container: 'readinessProbe: { exec: { command: ["false"] }, periodSeconds: 1 }\nports: [{ name: web, containerPort: 8080 }]',
  }),
  podOf('host-port', answering + forever, { container: 'ports: [{ containerPort: 8080, hostPort: 18080 }]' }),
  podOf('lingering', `mkdir /www; hostname > /www/index.html; httpd -p 8080 -h /www; trap "sleep 6; exit 0" TERM; while true; do sleep 0.1; done`, {
    container: ready,
  }).replace('terminationGracePeriodSeconds: 1', 'terminationGracePeriodSeconds: 10'),
  podOf('udp', `exec ${nodeProgram} -e "${udpServer}"`, {
    container: `ports: [{ name: ask, containerPort: 8081, protocol: UDP }]\nvolumeMounts: [${nodeMounts}]`,
    spec: `volumes: [${nodeVolumes}]`,
  }),
  service('web', 'selector: { tier: web }, ports: [{ name: http, port: 80, targetPort: web }]'),
  service('node-port', 'type: NodePort, selector: { tier: web }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }]'),
  service('headless', 'clusterIP: None, selector: { tier: web }, ports: [{ name: http, port: 8080 }]'),
  service('sticky', 'sessionAffinity: ClientIP, selector: { tier: web }, ports: [{ port: 80, targetPort: web }]'),
  service('ask', 'selector: { app: udp }, ports: [{ name: ask, port: 81, targetPort: ask, protocol: UDP }]'),
  service('self', 'selector: { app: web-a }, ports: [{ port: 80, targetPort: web }]'),
  service('nobody', 'selector: { app: nobody }, ports: [{ port: 80 }]'),
  service('elsewhere', 'type: ExternalName, externalName: web.default.svc.cluster.local'),
  service('group', 'clusterIP: None, selector: { app: named }, ports: [{ name: http, port: 8080 }]'),
  service('unready', 'selector: { app: unready }, ports: [{ port: 80, targetPort: web }]'),
  service('early', 'clusterIP: None, publishNotReadyAddresses: true, selector: { app: unready }, ports: [{ port: 80, targetPort: web }]'),
  service('lingering', 'selector: { app: lingering }, ports: [{ port: 80, targetPort: web }]'),
].join('')

describe('services and names', () => {
  let cluster: TestCluster
  let on: Objects
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    await on.apply(manifests)
    await cluster.kubectl(
      'wait --for=condition=Ready pod/web-a pod/web-b pod/client pod/on-node pod/named pod/lingering pod/own-dns pod/host-port --timeout=30s',
      { timeoutMs: 40_000 },
    )
  })
  after(() => cluster?.remove())
  const get = (url: string, from = 'client') => on.sh(from, `timeout 3 wget -qO- ${url}`)
  const ip = async (pod: string) => (await on.pod(pod)).status?.podIP ?? ''
  const reverse = (address: string) => on.sh('client', `nslookup ${address} 2>&1`)
  const lookup = (name: string, type = 'a', from = 'client') => on.sh(from, `nslookup -type=${type} ${name} 2>&1`)

  it('answers behind a Service by name, by whichever form, balanced over its pods', async () => {
    await eventually('the Service answers', () => get('http://web'))
    const answers = await on.sh('client', 'for i in $(seq 30); do timeout 3 wget -qO- http://web; done')
    const count = (name: string) => answers.split('\n').filter((line) => line === name).length
    assert.equal(count('web-a') + count('web-b'), 30)
    assert.ok(count('web-a') > 4 && count('web-b') > 4, answers)
    for (const name of ['web.default', 'web.default.svc', 'web.default.svc.cluster.local', 'web.default.svc.cluster.local.'])
      assert.match(await get(`http://${name}/`), /^web-[ab]\n$/)
    assert.match(await get('http://web', 'on-node'), /^web-[ab]\n$/)
    assert.match(await get('http://web', 'own-dns'), /^web-[ab]\n$/)
  })

  it('answers on a port of the node, from the node and from a pod', async () => {
    const node = (await on.pod('client')).status?.hostIP
    assert.match(await get(`http://${node}:30080`), /^web-[ab]\n$/)
    assert.match(await get(`http://${node}:30080`, 'on-node'), /^web-[ab]\n$/)
    assert.equal(await get(`http://${node}:18080`), 'host-port\n')
    assert.equal(await get(`http://${node}:18080`, 'on-node'), 'host-port\n')
  })

  it('reaches itself through its own Service', async () => {
    assert.equal(await on.sh('web-a', 'for i in 1 2 3; do timeout 3 wget -qO- http://self; done'), 'web-a\nweb-a\nweb-a\n')
  })

  it('keeps a client with one pod where it is asked to', async () => {
    const answers = await on.sh('client', 'for i in $(seq 12); do timeout 3 wget -qO- http://sticky; done')
    assert.equal(new Set(answers.trim().split('\n')).size, 1, answers)
  })

  it('carries UDP', async () => {
    assert.equal(await eventually('an answer', async () => (await on.sh('udp', `${nodeProgram} -e "${udpClient}" ask`)).trim()), 'udp')
  })

  it('refuses at once where nobody serves', async () => {
    for (const name of ['nobody', 'unready']) {
      const start = performance.now()
      await assert.rejects(get(`http://${name}`), /Connection refused/)
      assert.ok(performance.now() - start < 900, 'it waited for a second try')
    }
    await assert.rejects(get('http://web:81'), /Connection refused/)
  })

  it('serves while ending as long as nobody else does', async () => {
    await cluster.kubectl('delete pod lingering --wait=false')
    await eventually('the slice says so', async () =>
      /"terminating":\s*true/.test(await cluster.kubectl('get endpointslices -l kubernetes.io/service-name=lingering -o json')),
    )
    assert.equal(await get('http://lingering'), 'lingering\n')
    const slice = await cluster.kubectl('get endpointslices -l kubernetes.io/service-name=lingering -o jsonpath={.items[0].endpoints[0].conditions}')
    assert.deepEqual(JSON.parse(slice), { ready: false, serving: true, terminating: true })
  })

  it('resolves Services, pods and ports', async () => {
    const [a, b, named, early] = await Promise.all([ip('web-a'), ip('web-b'), ip('named'), ip('unready')])
    const cluster_ip = await cluster.kubectl('get service web -o jsonpath={.spec.clusterIP}')
    assert.match(await lookup('web.default.svc.cluster.local'), new RegExp(`Address: ${cluster_ip}\\n`))
    const headless = await lookup('headless.default.svc.cluster.local')
    for (const address of [a, b]) assert.match(headless, new RegExp(`Address: ${address}\\n`))
    assert.match(await lookup('first.group.default.svc.cluster.local'), new RegExp(`Address: ${named}\\n`))
    assert.match(await lookup('early.default.svc.cluster.local'), new RegExp(`Address: ${early}\\n`))
    assert.match(await lookup('elsewhere.default.svc.cluster.local', 'cname'), /canonical name = web.default.svc.cluster.local/)
    assert.match(await get('http://elsewhere'), /^web-[ab]\n$/)
    assert.match(await lookup('_http._tcp.web.default.svc.cluster.local', 'srv'), /service = \d+ \d+ 80 web.default.svc.cluster.local/)
    assert.match(await lookup('_http._tcp.group.default.svc.cluster.local', 'srv'), /service = \d+ \d+ 8080 first.group.default.svc.cluster.local/)
    assert.match(await lookup(`${a.replaceAll('.', '-')}.default.pod.cluster.local`), new RegExp(`Address: ${a}\\n`))
    assert.match(await reverse(cluster_ip), /name = web.default.svc.cluster.local/)
    assert.match(await reverse(named), /name = first.group.default.svc.cluster.local/)
    await assert.rejects(lookup('nothing.default.svc.cluster.local'), /NXDOMAIN/)
    assert.match(await lookup('web.default.svc.cluster.local', 'aaaa'), /^(?!.*NXDOMAIN)/s)
  })

  it('has the resolver, hosts and names that the pod asks for', async () => {
    const dns = await cluster.kubectl('get service kube-dns -n kube-system -o jsonpath={.spec.clusterIP}')
    assert.match(
      await on.sh('client', 'cat /etc/resolv.conf'),
      new RegExp(`^search default.svc.cluster.local svc.cluster.local cluster.local.*\\nnameserver ${dns}\\noptions ndots:5\\n$`),
    )
    assert.equal(await on.sh('own-dns', 'cat /etc/resolv.conf'), `search default.svc.cluster.local example.org\nnameserver ${dns}\noptions ndots:2 edns0\n`)
    assert.match(
      await on.sh('client', 'cat /etc/hosts'),
      /^# Kubernetes-managed hosts file\.[\s\S]*127\.0\.0\.1\slocalhost[\s\S]*\d\sclient\n[\s\S]*192\.0\.2\.7\salias\.example\ssecond\.example\n/,
    )
    assert.equal(await on.sh('named', 'hostname; hostname -f'), 'first\nfirst.group.default.svc.cluster.local\n')
    const { status } = await on.pod('on-node')
    assert.equal(status?.podIP, status?.hostIP)
    assert.match(await on.sh('on-node', 'cat /etc/resolv.conf'), new RegExp(`nameserver ${dns}`))
  })

  it('follows its pods: one that goes, one that comes, and its selector', async () => {
    await cluster.kubectl('delete pod web-a')
    assert.equal(new Set((await on.sh('client', 'for i in $(seq 12); do timeout 3 wget -qO- http://web; done')).trim().split('\n')).size, 1)
    await on.apply(podOf('web-c', answering + forever, { container: ready, labels: 'tier: web' }))
    await eventually('the new one answers', async () => (await get('http://web')) === 'web-c\n')
    await cluster.kubectl('patch service web -p {"spec":{"selector":{"tier":null,"app":"web-b"}}}')
    await eventually(
      'only one answers',
      async () => (await on.sh('client', 'for i in $(seq 8); do timeout 3 wget -qO- http://web; done')) === 'web-b\n'.repeat(8),
    )
    await cluster.kubectl('delete service web')
    await eventually('its name is gone', async () => {
      await assert.rejects(lookup('web.default.svc.cluster.local'), /NXDOMAIN/)
      return true
    })
  })
})
