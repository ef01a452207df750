import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { created, problems, row, updateProblems } from '../testing/draft.ts'
import { Pod } from './pod.ts'

const metadata = { name: 'web', namespace: 'shop' }
const container = { name: 'web', image: 'nginx:1.27' }
const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], ...spec } })

test('defaults of a pod', () => {
  const stored = created(Pod, pod({ containers: [{ ...container, ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } }] }))
  assert.deepEqual(stored.spec, {
    containers: [
      {
        name: 'web',
        image: 'nginx:1.27',
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        readinessProbe: { httpGet: { path: '/', port: 80, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: true,
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  })
  assert.deepEqual(stored.status, { phase: 'Pending', qosClass: 'BestEffort' })
})

const pullPolicies: [string, string][] = [
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['registry:5000/nginx', 'Always'],
  ['registry:5000/nginx:1', 'IfNotPresent'],
  ['nginx@sha256:0000', 'IfNotPresent'],
]
test('pull policy by tag', () => {
  for (const [image, policy] of pullPolicies)
    assert.equal(created(Pod, pod({ containers: [{ name: 'a', image }] })).spec.containers[0]?.imagePullPolicy, policy, image)
})

const volumes: [object, object][] = [
  [{ name: 'v' }, { name: 'v', emptyDir: {} }],
  [
    { name: 'v', secret: { secretName: 's' } },
    { name: 'v', secret: { secretName: 's', defaultMode: 420 } },
  ],
  [
    { name: 'v', hostPath: { path: '/x' } },
    { name: 'v', hostPath: { path: '/x', type: '' } },
  ],
  [
    { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
    { name: 'v', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] } },
  ],
]
test('defaults of volumes', () => {
  for (const [given, stored] of volumes) assert.deepEqual(created(Pod, pod({ volumes: [given] })).spec.volumes, [stored])
})

const classes: [object[], string][] = [
  [[{}], 'BestEffort'],
  [[{ limits: { cpu: '1', memory: '1Gi' } }], 'Guaranteed'],
  [[{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1Gi' } }], 'Guaranteed'],
  [[{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }], 'Burstable'],
  [[{ limits: { cpu: '1', memory: '1Gi' } }, {}], 'Burstable'],
  [[{ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } }], 'BestEffort'],
]
test('quality of service', () => {
  for (const [resources, expected] of classes) {
    const containers = resources.map((one, index) => ({ name: `c${index}`, image: 'a:1', resources: one }))
    assert.equal(created(Pod, pod({ containers })).status?.qosClass, expected, JSON.stringify(resources))
  }
})

const invalid: [object, string[]][] = [
  [{}, []],
  [{ containers: [] }, ['spec.containers: Required value']],
  [{ containers: [{ name: 'a' }] }, ['spec.containers[0].image: Required value']],
  [{ containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "web"']],
  [{ restartPolicy: 'Sometimes' }, ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"']],
  [{ containers: [{ ...container, volumeMounts: [{ name: 'x', mountPath: '/x' }] }] }, ['spec.containers[0].volumeMounts[0].name: Not found: "x"']],
  [
    { containers: [{ ...container, resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] },
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    { containers: [{ ...container, ports: [{ containerPort: 70000 }] }] },
    ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [{ containers: [{ ...container, livenessProbe: {} }] }, ['spec.containers[0].livenessProbe: Required value: must specify a handler type']],
  [
    { containers: [{ ...container, env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] }] },
    ['spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value'],
  ],
  [
    { securityContext: { sysctls: ['net/ipv4/tcp_rmem', 'unsafe', 'ends-', 'dots..'].map((name) => ({ name, value: '1' })) } },
    ['ends-', 'dots..'].map(
      (name, index) =>
        `spec.securityContext.sysctls[${index + 2}].name: Invalid value: "${name}": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`,
    ),
  ],
  [{ volumes: [{ name: 'v', secret: {} }] }, ['spec.volumes[0].secret.secretName: Required value']],
  [{ volumes: [{ name: 'v', secret: { secretName: 's' }, emptyDir: {} }] }, ['spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type']],
]
test('validation of a pod', () => {
  for (const [spec, expected] of invalid) assert.deepEqual(problems(Pod, pod(spec)), expected, JSON.stringify(spec))
})

test('a pod may get another image, and hardly anything else', () => {
  assert.deepEqual(
    updateProblems(Pod, pod({}), pod({ containers: [{ ...container, image: 'nginx:1.28' }] })).filter((text) => !text.includes('PullPolicy')),
    [],
  )
  const [problem = ''] = updateProblems(Pod, pod({}), pod({ hostNetwork: true }))
  assert.match(problem, /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`/)
  assert.deepEqual(updateProblems(Pod, pod({}), pod({ containers: [container, { name: 'b', image: 'b:1' }] })), [
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ])
})

const running = { running: { startedAt: '2026-01-01T00:00:00Z' } }
const waiting = (reason: string) => ({ waiting: { reason } })
const terminated = (exitCode: number, reason?: string) => ({ terminated: { exitCode, reason } })
const one = (state: object, more: object = {}) => ({ name: 'web', ready: false, restartCount: 0, image: '', imageID: '', state, ...more })
const readyTrue = [{ type: 'Ready', status: 'True' }]

/** Status and metadata of a pod; what READY, STATUS and RESTARTS say. */
const rows: [string, { status: object; spec?: object; metadata?: object }, [string, string, string]][] = [
  ['pending', { status: { phase: 'Pending' } }, ['0/1', 'Pending', '0']],
  ['creating', { status: { phase: 'Pending', containerStatuses: [one(waiting('ContainerCreating'))] } }, ['0/1', 'ContainerCreating', '0']],
  ['running', { status: { phase: 'Running', containerStatuses: [one(running, { ready: true })] } }, ['1/1', 'Running', '0']],
  [
    'crash loop',
    {
      status: {
        phase: 'Running',
        containerStatuses: [one(waiting('CrashLoopBackOff'), { restartCount: 3, lastState: { terminated: { finishedAt: '2025-12-31T23:58:00Z' } } })],
      },
    },
    ['0/1', 'CrashLoopBackOff', '3 (2m ago)'],
  ],
  ['completed', { status: { phase: 'Succeeded', containerStatuses: [one(terminated(0, 'Completed'))] } }, ['0/1', 'Completed', '0']],
  ['exit code', { status: { phase: 'Failed', containerStatuses: [one(terminated(3))] } }, ['0/1', 'ExitCode:3', '0']],
  ['evicted', { status: { phase: 'Failed', reason: 'Evicted' } }, ['0/1', 'Evicted', '0']],
  [
    'terminating',
    { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' }, status: { phase: 'Running', containerStatuses: [one(running, { ready: true })] } },
    ['1/1', 'Terminating', '0'],
  ],
  [
    'init',
    {
      spec: { initContainers: [{ name: 'a' }, { name: 'b' }] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { ...one(terminated(0)), name: 'a' },
          { ...one(running), name: 'b' },
        ],
      },
    },
    ['0/1', 'Init:1/2', '0'],
  ],
  [
    'init failing',
    {
      spec: { initContainers: [{ name: 'a' }] },
      status: { phase: 'Pending', initContainerStatuses: [{ ...one(waiting('CrashLoopBackOff')), name: 'a', restartCount: 2 }] },
    },
    ['0/1', 'Init:CrashLoopBackOff', '2'],
  ],
  [
    'sidecar',
    {
      spec: { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      status: {
        phase: 'Running',
        conditions: readyTrue,
        initContainerStatuses: [{ ...one(running), name: 's', started: true, ready: true }],
        containerStatuses: [one(running, { ready: true })],
      },
    },
    ['2/2', 'Running', '0'],
  ],
  [
    'one completed, one runs',
    {
      spec: { containers: [container, { name: 'b' }] },
      status: { phase: 'Running', conditions: readyTrue, containerStatuses: [one(terminated(0, 'Completed')), one(running, { ready: true })] },
    },
    ['1/2', 'Running', '0'],
  ],
]
test('columns of a pod', () => {
  for (const [name, given, expected] of rows) {
    const object = { metadata: { ...metadata, ...given.metadata }, spec: { containers: [container], ...given.spec }, status: given.status }
    const cells = row(Pod, object)
    assert.deepEqual([cells.Ready, cells.Status, cells.Restarts], expected, name)
  }
})

test('grace: none where nothing runs', () => {
  const stored = created(Pod, pod({}))
  assert.equal(Pod.gracePeriod?.(stored, undefined), 0)
  const scheduled = { ...stored, spec: { ...stored.spec, nodeName: 'n' } }
  assert.equal(Pod.gracePeriod?.(scheduled, undefined), 30)
  assert.equal(Pod.gracePeriod?.(scheduled, 5), 5)
})

test('warnings', () => {
  const twice = pod({ containers: [{ ...container, env: [{ name: 'A' }, { name: 'A' }] }] })
  assert.deepEqual(Pod.warnings(created(Pod, twice), undefined), [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ])
})

test('a thousand pods in well under a second', () => {
  const given = pod({ containers: [{ ...container, ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1', memory: '1Gi' } } }] })
  const start = performance.now()
  for (let index = 0; index < 1000; index++) problems(Pod, given)
  assert.ok(performance.now() - start < 1000)
})

test('label keys become part of the selectors', () => {
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } }, matchLabelKeys: ['version'], mismatchLabelKeys: ['tenant', 'absent'] }
  const stored = created(Pod, {
    ...pod({
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } }, matchLabelKeys: ['version'] },
      ],
    }),
    metadata: { ...metadata, labels: { app: 'web', version: 'one', tenant: 'a' } },
  }) as unknown as V1Pod
  const version = { key: 'version', operator: 'In', values: ['one'] }
  const [merged] = stored.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
  assert.deepEqual(merged?.labelSelector, { matchLabels: { app: 'web' }, matchExpressions: [version, { key: 'tenant', operator: 'NotIn', values: ['a'] }] })
  assert.deepEqual(stored.spec.topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions, [version])
})
