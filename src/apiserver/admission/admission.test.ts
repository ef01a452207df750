import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { admission } from './admission.ts'

let test: TestServer
before(async () => {
  test = await startTestServer({ parts: [admission], clock: new VirtualClock() })
  await create('/api/v1/namespaces', { metadata: { name: 'app' } })
  await create('/api/v1/namespaces/app/serviceaccounts', { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'registry' }] })
})
after(() => test.stop())

async function create(path: string, body: object) {
  const answer = await test.call('POST', path, body)
  assert.ok(answer.status < 300, answer.object.message)
  return answer.object
}
const refused = async (path: string, body: object) => {
  const { status, object } = await test.call('POST', path, body)
  assert.ok(status >= 400, 'it was let through')
  return object.message
}
const pod = (name: string, spec: object = {}, container: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
})
const pods = '/api/v1/namespaces/app/pods'

// biome-ignore lint/suspicious/noExplicitAny: answers of many kinds are looked into
const spec = (object: { [field: string]: unknown }) => object.spec as any

describe('pods', () => {
  it('get an account, its token, priority and tolerations', async () => {
    const made = spec(await create(pods, pod('plain')))
    assert.equal(made.serviceAccountName, 'default')
    assert.deepEqual(made.imagePullSecrets, [{ name: 'registry' }])
    const volume = made.volumes[0]
    assert.match(volume.name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    assert.deepEqual(volume.projected, {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    })
    assert.deepEqual(made.containers[0].volumeMounts, [{ name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }])
    assert.equal(made.priority, 0)
    assert.equal(made.preemptionPolicy, 'PreemptLowerPriority')
    assert.deepEqual(
      made.tolerations.map((one: { key: string; tolerationSeconds: number }) => [one.key, one.tolerationSeconds]),
      [
        ['node.kubernetes.io/not-ready', 300],
        ['node.kubernetes.io/unreachable', 300],
      ],
    )
  })

  it('have no token where they want none', async () => {
    const made = spec(await create(pods, pod('bare', { automountServiceAccountToken: false })))
    assert.equal(made.volumes, undefined)
  })

  it('take their priority from a class', async () => {
    await create('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' })
    const made = spec(await create(pods, pod('important', { priorityClassName: 'high' })))
    assert.deepEqual([made.priority, made.preemptionPolicy], [1000, 'Never'])
    assert.equal(await refused(pods, pod('x', { priorityClassName: 'none' })), 'pods "x" is forbidden: no PriorityClass with name none was found')
  })

  it('need a runtime class that is there', async () => {
    assert.equal(await refused(pods, pod('x', { runtimeClassName: 'vm' })), 'pods "x" is forbidden: pod rejected: RuntimeClass "vm" not found')
  })
})

describe('namespaces', () => {
  it('must be there', async () => {
    assert.equal(await refused('/api/v1/namespaces/none/configmaps', { metadata: { name: 'x' } }), 'namespaces "none" not found')
    assert.equal(await refused('/api/v1/namespaces/none/pods', pod('x', {})), 'namespaces "none" not found', 'before the account that is not there either')
  })

  it('that are going take nothing new', async () => {
    await create('/api/v1/namespaces', { metadata: { name: 'going' } })
    await test.call('DELETE', '/api/v1/namespaces/going')
    const { object } = await test.call('POST', '/api/v1/namespaces/going/configmaps', { metadata: { name: 'x' } })
    assert.equal(object.message, 'configmaps "x" is forbidden: unable to create new content in namespace going because it is being terminated')
    assert.deepEqual(object.details?.causes, [{ reason: 'NamespaceTerminating', message: 'namespace going is being terminated', field: 'metadata.namespace' }])
  })
})

describe('classes and storage', () => {
  it('gives the default class, and a finalizer', async () => {
    const claim = { metadata: { name: 'a' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
    await create('/apis/storage.k8s.io/v1/storageclasses', {
      metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'skiff.dev/directory',
    })
    const made = await create('/api/v1/namespaces/app/persistentvolumeclaims', claim)
    assert.equal(spec(made).storageClassName, 'standard')
    assert.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection'])
    await create('/apis/networking.k8s.io/v1/ingressclasses', {
      metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'k8s.io/ingress-nginx' },
    })
    const ingress = { metadata: { name: 'i' }, spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } }
    assert.equal(spec(await create('/apis/networking.k8s.io/v1/namespaces/app/ingresses', ingress)).ingressClassName, 'nginx')
  })
})

describe('limits and quotas', () => {
  before(async () => {
    await create('/api/v1/namespaces', { metadata: { name: 'tight' } })
    await create('/api/v1/namespaces/tight/serviceaccounts', { metadata: { name: 'default' } })
  })

  it('fill in and bound what containers ask for', async () => {
    await create('/api/v1/namespaces/tight/limitranges', {
      metadata: { name: 'l' },
      spec: { limits: [{ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } }] },
    })
    const made = await create('/api/v1/namespaces/tight/pods', pod('a'))
    assert.deepEqual(spec(made).containers[0].resources, { requests: { cpu: '100m' }, limits: { cpu: '500m' } })
    assert.match(
      made.metadata.annotations?.['kubernetes.io/limit-ranger'] ?? '',
      /^LimitRanger plugin set: cpu request for container c; cpu limit for container c$/,
    )
    assert.equal(
      await refused('/api/v1/namespaces/tight/pods', pod('b', {}, { resources: { limits: { cpu: '2' } } })),
      'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    )
  })

  it('refuse what is too much, however many come at once', async () => {
    await create('/api/v1/namespaces/tight/resourcequotas', { metadata: { name: 'q' }, spec: { hard: { configmaps: '3', 'requests.cpu': '250m' } } })
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => test.call('POST', '/api/v1/namespaces/tight/configmaps', { metadata: { name: `c${n}` } })),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 3)
    assert.match(
      answers.find(({ status }) => status === 403)?.object.message ?? '',
      /^configmaps "c\d" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3$/,
    )
    // What came and went makes room at once.
    await test.call('DELETE', '/api/v1/namespaces/tight/configmaps')
    await create('/api/v1/namespaces/tight/configmaps', { metadata: { name: 'later' } })
    await create('/api/v1/namespaces/tight/pods', pod('c'))
    assert.match(
      (await refused('/api/v1/namespaces/tight/pods', pod('d'))) ?? '',
      /exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=200m, limited: requests.cpu=250m/,
    )
  })
})

describe('pod security', () => {
  it('holds pods to the level of their namespace', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'baseline', 'pod-security.kubernetes.io/warn': 'restricted' }
    await create('/api/v1/namespaces', { metadata: { name: 'safe', labels } })
    await create('/api/v1/namespaces/safe/serviceaccounts', { metadata: { name: 'default' } })
    assert.equal(
      await refused('/api/v1/namespaces/safe/pods', pod('bad', { hostNetwork: true }, { securityContext: { privileged: true } })),
      'pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true)',
    )
    const { status, warnings } = await test.call('POST', '/api/v1/namespaces/safe/pods', pod('usual'))
    assert.equal(status, 201)
    assert.deepEqual(warnings, [
      'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ])
  })
})

describe('a kubelet', () => {
  const as = async (node: string, method: string, path: string, object?: object) => {
    const response = await test.server.handle({
      method,
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' },
      ...(object ? { object } : {}),
      user: { name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] },
      remoteAddress: '127.0.0.1',
      signal: new AbortController().signal,
    })
    const answered = (response.kind === 'object' ? response.object : {}) as { message?: string; spec?: { taints?: object[] } }
    return { ...answered, code: response.kind === 'hijacked' ? 0 : response.status }
  }

  it('has a say on its own node, lease and pods alone', async () => {
    const one = await as('one', 'POST', '/api/v1/nodes', { metadata: { name: 'one' } })
    assert.deepEqual(one.spec?.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
    assert.equal(
      (await as('one', 'POST', '/api/v1/nodes', { metadata: { name: 'two' } })).message,
      'nodes "two" is forbidden: node "one" is not allowed to modify node "two"',
    )
    await create('/api/v1/namespaces', { metadata: { name: 'kube-node-lease' } }).catch(() => {})
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
    assert.equal((await as('one', 'POST', leases, { metadata: { name: 'one' } })).code, 201)
    assert.match(
      (await as('one', 'POST', leases, { metadata: { name: 'two' } })).message ?? '',
      /can only access node lease with the same name as the requesting node/,
    )
    await create(pods, pod('here', { nodeName: 'one' }))
    await create(pods, pod('there', { nodeName: 'two' }))
    const status = { status: { phase: 'Running' } }
    assert.equal((await as('one', 'PATCH', `${pods}/here/status`, status)).code, 200)
    assert.equal(
      (await as('one', 'PATCH', `${pods}/there/status`, status)).message,
      'pods "there" is forbidden: node "one" can only update pod status for pods with spec.nodeName set to itself',
    )
    assert.match((await as('one', 'DELETE', `${pods}/there`)).message ?? '', /node "one" can only delete pods with spec.nodeName set to itself/)
    assert.match((await as('one', 'POST', pods, pod('new', { nodeName: 'one' }))).message ?? '', /can only create mirror pods/)
  })
})
