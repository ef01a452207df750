import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Container, V1Pod, V1PodSpec, V1Service } from '../../machinery/schema/generated/types.ts'
import type { Image } from '../../runtime/runtime.ts'
import { parseEnvFile } from './env-file.ts'
import { expand } from './expansion.ts'
import { resourceValue } from './field-values.ts'
import { oomScoreAdj, resourcesOf } from './resources.ts'
import { securityOf } from './security.ts'
import { serviceEnvironment } from './service-environment.ts'

const podOf = (container: Partial<V1Container> = {}, spec: Partial<V1PodSpec> = {}): V1Pod => ({
  metadata: { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { ...spec, containers: [{ name: 'main', ...container }] },
})
const first = (pod: V1Pod) => pod.spec.containers[0] as V1Container

describe('$(VAR)', () => {
  const values = new Map([
    ['A', 'a'],
    ['B', '$(A)'],
  ])
  for (const [text, expected] of [
    ['$(A)-$(A)', 'a-a'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$(NONE)', '$(NONE)'],
    ['$(B)', '$(A)'],
    ['$A $( end', '$A $( end'],
  ] as const)
    it(text, () => assert.equal(expand(text, values), expected))
})

describe('files of environment variables', () => {
  it('hold literal values in single quotes, comments and blank lines', () => {
    const text = "# first\n\n  A='a b # $C'\nB = 'one\ntwo' # said\nEMPTY=''"
    assert.deepEqual(
      [...parseEnvFile(text)],
      [
        ['A', 'a b # $C'],
        ['B', 'one\ntwo'],
        ['EMPTY', ''],
      ],
    )
  })
  for (const text of ['A=b', 'A="b"', "A='b''c'", "A='b'$C", "A='open", '=x', "A B='c'"])
    it(`refuse ${text}`, () => assert.throws(() => parseEnvFile(`X='x'\n${text}`), /line 2 is not of the form NAME='value'/))
})

describe('resources', () => {
  it('as numbers of the kernel', () => {
    const pod = podOf({ resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { cpu: '1', memory: '2Gi' } } })
    assert.deepEqual(resourcesOf(pod, first(pod), 4 * 2 ** 30), {
      cpuShares: 256,
      oomScoreAdj: 750,
      cpuPeriod: 100_000,
      cpuQuota: 100_000,
      memoryLimit: 2 * 2 ** 30,
    })
  })
  it('oom scores by quality of service', () => {
    const memory = 4 * 2 ** 30
    const score = (resources: V1Container['resources']) => {
      const pod = podOf(resources ? { resources } : {})
      return oomScoreAdj(pod, first(pod), memory)
    }
    assert.equal(score(undefined), 1000)
    assert.equal(score({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }), -997)
    assert.equal(score({ requests: { cpu: '1' } }), 999)
    assert.equal(score({ requests: { memory: '4Gi' } }), 3)
    const whole = podOf({}, { resources: { requests: { memory: '1Gi' } } })
    assert.equal(oomScoreAdj(whole, first(whole), memory), 750)
  })
  it('of the downward API are rounded up and fall back to the node', () => {
    const pod = podOf({ resources: { limits: { cpu: '1500m' } } })
    const of = (resource: string, divisor?: string) => resourceValue(pod, { resource, ...(divisor ? { divisor } : {}) }, 'main', { memory: '4Gi' })
    assert.equal(of('limits.cpu'), '2')
    assert.equal(of('limits.cpu', '1m'), '1500')
    assert.equal(of('limits.memory', '1Mi'), '4096')
    assert.equal(of('requests.memory'), '0')
  })
})

describe('security', () => {
  const image = (user: Image['user']): Image => ({ id: 'i', repoTags: [], repoDigests: [], size: 0, user, pinned: false })
  const of = (container: Partial<V1Container>, spec: Partial<V1PodSpec>, user: Image['user'] = {}) => {
    const pod = podOf(container, spec)
    return securityOf(pod, first(pod), image(user), undefined)
  }
  it('groups that the image gives are kept out where the pod says so', () => {
    const groups = (supplementalGroupsPolicy: string) => of({}, { securityContext: { supplementalGroupsPolicy } }).strictGroups
    assert.deepEqual([groups('Strict'), groups('Merge')], [true, undefined])
  })
  it("the container's own comes before the pod's", () => {
    const security = of(
      { securityContext: { runAsUser: 5, capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] }, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true } },
      { securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4], seccompProfile: { type: 'RuntimeDefault' } } },
    )
    assert.deepEqual(security, {
      privileged: false,
      runAsUser: 5,
      runAsGroup: 2,
      supplementalGroups: [4, 3],
      addCapabilities: ['NET_ADMIN'],
      dropCapabilities: ['ALL'],
      readonlyRootfs: true,
      noNewPrivileges: true,
      seccomp: { type: 'RuntimeDefault' },
      pid: 'container',
    })
  })
  it('not as root', () => {
    const spec = { securityContext: { runAsNonRoot: true } }
    assert.equal(of({}, spec, { uid: 7 }).runAsUser, 7)
    assert.throws(() => of({}, spec), /^StartError: container has runAsNonRoot and image will run as root \(pod: "web_shop\(u\)", container: main\)$/)
    assert.throws(() => of({}, spec, { username: 'app' }), /image has non-numeric user \(app\), cannot verify user is non-root/)
    assert.throws(() => of({ securityContext: { runAsUser: 0 } }, spec), /container's runAsUser breaks non-root policy/)
  })
})

it('services stand in the environment of pods in their namespace', () => {
  const service = (name: string, namespace: string, clusterIP: string): V1Service =>
    ({ metadata: { name, namespace }, spec: { clusterIP, ports: [{ name: 'my-port', port: 5432, protocol: 'TCP' }] } }) as V1Service
  const all = [
    service('kubernetes', 'default', '10.96.0.1'),
    service('my-db', 'shop', '10.96.0.5'),
    service('headless', 'shop', 'None'),
    service('other', 'default', '10.96.0.9'),
  ]
  const services = (namespace: string) => all.filter((one) => one.metadata.namespace === namespace)
  assert.deepEqual(
    [...serviceEnvironment(podOf(), services)].filter(([name]) => name.startsWith('MY_DB') || name.startsWith('OTHER') || name.startsWith('HEADLESS')),
    [
      ['MY_DB_SERVICE_HOST', '10.96.0.5'],
      ['MY_DB_SERVICE_PORT', '5432'],
      ['MY_DB_SERVICE_PORT_MY_PORT', '5432'],
      ['MY_DB_PORT', 'tcp://10.96.0.5:5432'],
      ['MY_DB_PORT_5432_TCP', 'tcp://10.96.0.5:5432'],
      ['MY_DB_PORT_5432_TCP_PROTO', 'tcp'],
      ['MY_DB_PORT_5432_TCP_PORT', '5432'],
      ['MY_DB_PORT_5432_TCP_ADDR', '10.96.0.5'],
    ],
  )
  const without = serviceEnvironment(podOf({}, { enableServiceLinks: false }), services)
  assert.equal(without.get('KUBERNETES_SERVICE_HOST'), '10.96.0.1')
  assert.equal(without.has('MY_DB_SERVICE_HOST'), false)
})
