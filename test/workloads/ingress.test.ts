/** Ingresses as a user meets them, asked from the host. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'
import { type Objects, objectsOf } from '../tools/objects.ts'
import { forever, podOf } from '../tools/pod-manifest.ts'

const run = promisify(execFile)

/** Serves a few files that tell whose they are. */
const serving = (name: string) =>
  podOf(name, `mkdir -p /www/deep/er; for at in / /deep/ /deep/er/; do echo ${name} $at > /www$at/index.html; done; httpd -p 8080 -h /www; ${forever}`, {
    container: 'ports: [{ name: web, containerPort: 8080 }]\nreadinessProbe: { tcpSocket: { port: web }, periodSeconds: 1 }',
  }) +
  `
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 80, targetPort: web }] }
`
const ingress = (name: string, spec: string, annotations = '') => `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, annotations: { ${annotations} } }
spec: { ${spec} }
`
const backend = (name: string, port = 'number: 80') => `backend: { service: { name: ${name}, port: { ${port} } } }`
const path = (at: string, type: string, to: string) => `{ path: ${at}, pathType: ${type}, ${to} }`

const manifests = [
  serving('one'),
  serving('two'),
  ingress(
    'hosts',
    `rules: [{ host: one.example.com, http: { paths: [${path('/', 'Prefix', backend('one', 'name: http'))}] } }, { host: "*.wild.example.com", http: { paths: [${path('/', 'Prefix', backend('two'))}] } }]`,
  ),
  ingress(
    'paths',
    `rules: [{ host: paths.example.com, http: { paths: [${path('/', 'Prefix', backend('one'))}, ${path('/deep', 'Prefix', backend('two'))}, ${path('/deep/er/', 'Exact', backend('one'))}] } }]`,
  ),
  ingress('default', `defaultBackend: { service: { name: two, port: { number: 80 } } }`),
  ingress(
    'rewritten',
    `rules: [{ host: rewritten.example.com, http: { paths: [${path('"/app(/|$)(.*)"', 'ImplementationSpecific', backend('one'))}] } }]`,
    'nginx.ingress.kubernetes.io/use-regex: "true", nginx.ingress.kubernetes.io/rewrite-target: /$2',
  ),
  ingress(
    'secure',
    `tls: [{ hosts: [secure.example.com], secretName: certificate }], rules: [{ host: secure.example.com, http: { paths: [${path('/', 'Prefix', backend('two'))}] } }]`,
  ),
  `
---
apiVersion: v1
kind: Service
metadata: { name: elsewhere }
spec: { type: ExternalName, externalName: one.default.svc.cluster.local }
`,
  ingress('external', `rules: [{ host: external.example.com, http: { paths: [${path('/', 'Prefix', backend('elsewhere'))}] } }]`),
  ingress('unserved', `rules: [{ host: unserved.example.com, http: { paths: [${path('/', 'Prefix', backend('nobody'))}] } }]`),
  ingress('foreign', `ingressClassName: other, rules: [{ host: foreign.example.com, http: { paths: [${path('/', 'Prefix', backend('one'))}] } }]`),
].join('')

describe('ingresses', { timeout: 90_000 }, () => {
  let cluster: TestCluster
  let on: Objects
  before(async () => {
    cluster = await startTestCluster()
    on = objectsOf(cluster)
    const file = (name: string) => join(cluster.dataDir, name)
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=secure.example.com',
      '-addext',
      'subjectAltName=DNS:secure.example.com',
      '-keyout',
      file('key.pem'),
      '-out',
      file('cert.pem'),
    ])
    await cluster.kubectl(`create secret tls certificate --cert=${file('cert.pem')} --key=${file('key.pem')}`)
    await on.apply(manifests)
    await cluster.kubectl('wait --for=condition=Ready pod/one pod/two --timeout=30s', { timeoutMs: 35_000 })
  })
  after(() => cluster?.remove())

  /** What `curl -w` adds: the status. */
  const get = async (host: string, at = '/', more: string[] = []) =>
    (await run('curl', ['-s', '-w', '%{http_code}', '-H', `Host: ${host}`, ...more, `http://127.0.0.1:${cluster.running()?.httpPort}${at}`])).stdout
  const answers = (host: string, at: string, expected: string) =>
    eventually(`${host}${at} answers ${expected}`, async () => {
      const found = await get(host, at)
      if (found !== expected) throw new Error(found)
      return true
    })

  it('leads by host, wildcard and path, and to the default', async () => {
    await answers('one.example.com', '/', 'one /\n200')
    await answers('a.wild.example.com', '/', 'two /\n200')
    await answers('paths.example.com', '/', 'one /\n200')
    assert.equal(await get('paths.example.com', '/deep/'), 'two /deep/\n200')
    assert.equal(await get('paths.example.com', '/deep/er/'), 'one /deep/er/\n200')
    assert.match(await get('paths.example.com', '/deeper'), /404$/)
    await answers('anything.example.org', '/', 'two /\n200')
    await answers('a.b.wild.example.com', '/', 'two /\n200')
  })

  it('rewrites paths', async () => {
    await answers('rewritten.example.com', '/app/deep/', 'one /deep/\n200')
    assert.equal(await get('rewritten.example.com', '/app'), 'one /\n200')
  })

  it('speaks TLS with the certificate of the Secret, and sends plain requests there', async () => {
    const port = cluster.running()?.httpsPort
    const secure = () =>
      run('curl', [
        '-s',
        '--cacert',
        join(cluster.dataDir, 'cert.pem'),
        '--resolve',
        `secure.example.com:${port}:127.0.0.1`,
        `https://secure.example.com:${port}/`,
      ])
    assert.equal((await eventually('TLS answers', secure)).stdout, 'two /\n')
    assert.match(await get('secure.example.com'), /308$/)
    await cluster.kubectl('delete secret certificate')
    await eventually('the certificate is gone', async () => {
      await assert.rejects(secure())
      return true
    })
    await answers('one.example.com', '/', 'one /\n200')
  })

  it('leads to where a name leads that is not of the cluster', async () => {
    await answers('external.example.com', '/deep/', 'one /deep/\n200')
  })

  it('answers 503 where nobody serves, and leaves those of other classes alone', async () => {
    assert.match(await get('unserved.example.com'), /503$/)
    assert.equal(await get('foreign.example.com'), 'two /\n200')
    await eventually('the address is told', async () => (await cluster.kubectl('get ingress hosts -o jsonpath={.status.loadBalancer.ingress[0].ip}')) !== '')
    assert.equal(await cluster.kubectl('get ingress foreign -o jsonpath={.status.loadBalancer}'), '{}')
  })

  it('tells of an Ingress that cannot be, and goes on with the others', async () => {
    await on.apply(
      ingress(
        'bad',
        `rules: [{ host: bad.example.com, http: { paths: [${path('"/a(["', 'ImplementationSpecific', backend('one'))}] } }]`,
        'nginx.ingress.kubernetes.io/use-regex: "true"',
      ) + ingress('after', `rules: [{ host: after.example.com, http: { paths: [${path('/', 'Prefix', backend('one'))}] } }]`),
    )
    assert.match(await on.event('Ingress', 'bad', /^Warning/), /^Warning \w+ .+/)
    await answers('after.example.com', '/', 'one /\n200')
    await answers('one.example.com', '/', 'one /\n200')
  })

  it('follows changes of the Ingress, of the Service and of its pods', async () => {
    await cluster.kubectl('patch ingress hosts --type=json -p [{"op":"replace","path":"/spec/rules/0/http/paths/0/backend/service/name","value":"two"}]')
    await answers('one.example.com', '/', 'two /\n200')
    await cluster.kubectl('patch service two -p {"spec":{"selector":{"app":"one"}}}')
    await answers('one.example.com', '/', 'one /\n200')
    await cluster.kubectl('delete pod one')
    await eventually('nobody serves', async () => (await get('one.example.com')).endsWith('503'))
    await on.apply(serving('one'))
    await answers('one.example.com', '/', 'one /\n200')
    await cluster.kubectl('delete ingress hosts')
    await eventually('the default serves it', async () => (await get('one.example.com')).endsWith('/\n200'))
  })
})
