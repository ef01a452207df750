/** The field's own JavaScript client: lists, watches, patches and streams, by its own connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import {
  ApiException,
  AppsV1Api,
  Attach,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Pod,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node'
import { eventually, startTestCluster, type TestCluster } from '../tools/cluster.ts'

let cluster: TestCluster
let config: KubeConfig
let core: CoreV1Api
const namespace = 'default'
before(async () => {
  cluster = await startTestCluster()
  config = new KubeConfig()
  config.loadFromFile(join(cluster.dataDir, 'kubeconfig'))
  core = config.makeApiClient(CoreV1Api)
})
after(() => cluster?.remove())

const pod: V1Pod = {
  metadata: { name: 'page', labels: { app: 'page' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: 'busybox:1.35',
        stdin: true,
        command: ['sh', '-c', 'mkdir /www; echo a page > /www/index.html; httpd -p 8080 -h /www; echo ready; while read line; do echo got $line; done'],
      },
    ],
  },
}

describe('@kubernetes/client-node', () => {
  it('creates, reads, lists and deletes', async () => {
    await core.createNamespacedPod({ namespace, body: pod })
    await eventually('it is ready', async () => {
      const { status } = await core.readNamespacedPod({ namespace, name: 'page' })
      return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    })
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=page', fieldSelector: 'status.phase=Running' })
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.name),
      ['page'],
    )
    assert.ok(items[0]?.metadata?.creationTimestamp instanceof Date)
    await assert.rejects(core.readNamespacedPod({ namespace, name: 'nope' }), (error: unknown) => error instanceof ApiException && error.code === 404)
    assert.equal((await config.makeApiClient(VersionApi).getCode()).minor, '36')
  })

  it('pages through a list', async () => {
    for (let i = 0; i < 5; i++) await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: `page-${i}`, labels: { set: 'pages' } } } })
    const names: (string | undefined)[] = []
    let next: string | undefined
    do {
      const list = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=pages', limit: 2, ...(next ? { _continue: next } : {}) })
      names.push(...list.items.map(({ metadata }) => metadata?.name))
      next = list.metadata?._continue
    } while (next)
    assert.deepEqual(names, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4'])
  })

  it('patches in each way', async () => {
    const name = 'page-0'
    const patched = async (strategy: (typeof PatchStrategy)[keyof typeof PatchStrategy], body: object, options: object = {}) =>
      (await core.patchNamespacedConfigMap({ namespace, name, body, ...options }, setHeaderOptions('Content-Type', strategy))).data
    assert.deepEqual(await patched(PatchStrategy.MergePatch, { data: { a: '1' } }), { a: '1' })
    assert.deepEqual(await patched(PatchStrategy.JsonPatch, [{ op: 'add', path: '/data/b', value: '2' }]), { a: '1', b: '2' })
    assert.deepEqual(await patched(PatchStrategy.StrategicMergePatch, { data: { a: null } }), { b: '2' })
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { c: '3' } }
    assert.deepEqual(await patched(PatchStrategy.ServerSideApply, body, { fieldManager: 'library', force: true }), { b: '2', c: '3' })
  })

  it('scales, and asks what it may', async () => {
    const apps = config.makeApiClient(AppsV1Api)
    const labels = { app: 'few' }
    const template = {
      metadata: { labels },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox:1.35', command: ['sleep', '1000'] }] },
    }
    await apps.createNamespacedDeployment({
      namespace,
      body: { metadata: { name: 'few' }, spec: { replicas: 0, selector: { matchLabels: labels }, template } },
    })
    // The controller writes at the same time: an old scale is refused.
    await eventually('it scales', async () => {
      const scale = await apps.readNamespacedDeploymentScale({ namespace, name: 'few' })
      return apps.replaceNamespacedDeploymentScale({ namespace, name: 'few', body: { ...scale, spec: { replicas: 1 } } })
    })
    await eventually('one is ready', async () => (await apps.readNamespacedDeployment({ namespace, name: 'few' })).status?.readyReplicas === 1)
    const review = { spec: { resourceAttributes: { verb: 'create', resource: 'pods', namespace } } }
    assert.equal((await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({ body: review })).status?.allowed, true)
  })

  it('takes objects whose kind it finds out', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config)
    const made = (await objects.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'found', namespace } })) as V1ConfigMap
    assert.ok(made.metadata?.uid)
    const custom = config.makeApiClient(CustomObjectsApi)
    const list = (await custom.listNamespacedCustomObject({ group: 'apps', version: 'v1', namespace, plural: 'deployments' })) as { items: unknown[] }
    assert.equal(list.items.length, 1)
  })

  it('watches', async () => {
    const seen: string[] = []
    const controller = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { fieldSelector: 'metadata.name=watched' },
      (phase) => void seen.push(phase),
      () => {},
    )
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'watched' } } })
    await core.patchNamespacedConfigMap({ namespace, name: 'watched', body: { data: { a: '1' } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' })
    await eventually('all is seen', async () => seen.length === 3)
    controller.abort()
    assert.deepEqual(seen, ['ADDED', 'MODIFIED', 'DELETED'])
  })

  it('keeps an informer', async () => {
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const informer = makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace, labelSelector: 'set=pages' }), 'set=pages')
    const seen: string[] = []
    for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, (object) => void seen.push(`${verb} ${object.metadata?.name}`))
    await informer.start()
    await eventually('it has all', async () => seen.length === 5)
    await core.patchNamespacedConfigMap({ namespace, name: 'page-1', body: { data: { a: '1' } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    await core.deleteNamespacedConfigMap({ namespace, name: 'page-2' })
    await eventually('it follows', async () => seen.includes('update page-1') && seen.includes('delete page-2'))
    await informer.stop()
  })

  it('reads logs', async () => {
    assert.equal(await core.readNamespacedPodLog({ namespace, name: 'page' }), 'ready\n')
    // Without `follow`: the library has no way to end a stream without an error that nobody can catch.
    const stream = new PassThrough()
    await new Log(config).log(namespace, 'page', 'main', stream, { tailLines: 1, timestamps: true })
    assert.match(await text(stream), /^\d{4}-\d\d-\d\dT\S+Z ready\n$/)
  })

  it('runs commands, with input and an exit code', async () => {
    const exec = new Exec(config)
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    const status = new Promise<V1Status>((resolve) => {
      void exec.exec(namespace, 'page', 'main', ['sh', '-c', 'read word; echo got $word; echo complaint >&2; exit 3'], stdout, stderr, stdin, false, resolve)
    })
    stdin.write('words\n')
    const { status: outcome, reason, details } = await status
    stdout.end()
    stderr.end()
    assert.deepEqual([await text(stdout), await text(stderr)], ['got words\n', 'complaint\n'])
    assert.deepEqual([outcome, reason, details?.causes], ['Failure', 'NonZeroExitCode', [{ reason: 'ExitCode', message: '3' }]])
  })

  it('attaches', async () => {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const socket = await new Attach(config).attach(namespace, 'page', 'main', stdout, null, stdin, false)
    let seen = ''
    stdout.on('data', (data) => {
      seen += data
    })
    await eventually('it answers', async () => {
      stdin.write('hello\n')
      return seen.includes('got hello\n')
    })
    socket.close()
  })

  it('forwards a port', async () => {
    const forward = new PortForward(config)
    const server = createServer((socket) => void forward.portForward(namespace, 'page', [8080], socket, null, socket))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1')
    socket.write('GET / HTTP/1.0\r\n\r\n')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    await eventually('the page comes', async () => answer.endsWith('a page\n'))
    socket.destroy()
    server.close()
  })
})
