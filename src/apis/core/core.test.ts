import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, problems, row, updated, updateProblems } from '../testing/draft.ts'
import { ConfigMap } from './config-map.ts'
import { Endpoints } from './endpoints.ts'
import { Event } from './event.ts'
import { Namespace } from './namespace.ts'
import { Node } from './node.ts'
import { PersistentVolume } from './persistent-volume.ts'
import { PersistentVolumeClaim } from './persistent-volume-claim.ts'
import { Secret } from './secret.ts'
import { Service } from './service.ts'

const metadata = { name: 'a', namespace: 'shop' }
const created2min = { ...metadata, creationTimestamp: '2025-12-31T23:58:00Z' }

test('a namespace gets its label, finalizer and phase', () => {
  assert.deepEqual(created(Namespace, { metadata: { name: 'shop' } }), {
    metadata: { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  assert.match(problems(Namespace, { metadata: { name: 'a.b' } })[0] ?? '', /^metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of/)
})

test('config maps: keys, sizes, immutability', () => {
  assert.match(problems(ConfigMap, { metadata, data: { 'a b': '' } })[0] ?? '', /^data\[a b\]: Invalid value: "a b": a valid config key must consist of/)
  assert.deepEqual(problems(ConfigMap, { metadata, data: { a: 'x'.repeat(1024 * 1024 + 1) } }), ['[]: Too long: may not be more than 1048576 bytes'])
  assert.deepEqual(updateProblems(ConfigMap, { metadata, data: { a: '1' }, immutable: true }, { metadata, data: { a: '2' } }), [
    'immutable: Forbidden: field is immutable when `immutable` is set',
    'data: Forbidden: field is immutable when `immutable` is set',
  ])
  assert.deepEqual(row(ConfigMap, { metadata: created2min, data: { a: '', b: '' } }), { Name: 'a', Data: 2, Age: '2m' })
})

test('secrets: text becomes data; types have their keys', () => {
  assert.deepEqual(created(Secret, { metadata, data: { a: 'eA==' }, stringData: { a: 'y', b: 'z' } }), {
    metadata,
    type: 'Opaque',
    data: { a: 'eQ==', b: 'eg==' },
  })
  assert.deepEqual(problems(Secret, { metadata, type: 'kubernetes.io/tls' }), ['data[tls.crt]: Required value', 'data[tls.key]: Required value'])
  assert.deepEqual(updateProblems(Secret, { metadata }, { metadata, type: 'x/y' }), ['type: Invalid value: "x/y": field is immutable'])
})

const claim = (spec: object = {}) => ({ metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } }, ...spec } })
test('claims', () => {
  assert.deepEqual(created(PersistentVolumeClaim, claim()), {
    metadata,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeMode: 'Filesystem' },
    status: { phase: 'Pending' },
  })
  assert.deepEqual(problems(PersistentVolumeClaim, { metadata, spec: {} }), [
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.resources[storage]: Required value',
  ])
  assert.match(
    updateProblems(PersistentVolumeClaim, claim(), claim({ accessModes: ['ReadWriteMany'] }))[0] ?? '',
    /^spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims/,
  )
  assert.deepEqual(updateProblems(PersistentVolumeClaim, claim(), claim({ volumeName: 'pv' })), [])
  const bound = { metadata: created2min, spec: { ...claim().spec, volumeName: 'pv', storageClassName: 'standard', volumeMode: 'Filesystem' } }
  assert.deepEqual(
    row(PersistentVolumeClaim, { ...bound, status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] } }),
    {
      Name: 'a',
      Status: 'Bound',
      Volume: 'pv',
      Capacity: '1Gi',
      'Access Modes': 'RWO,RWX',
      StorageClass: 'standard',
      VolumeAttributesClass: '<unset>',
      Age: '2m',
      VolumeMode: 'Filesystem',
    },
  )
})

test('volumes', () => {
  const volume = { metadata: { name: 'pv' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } }
  assert.deepEqual(problems(PersistentVolume, volume), [])
  assert.deepEqual(problems(PersistentVolume, { metadata: { name: 'pv' }, spec: {} }), [
    'spec.accessModes: Required value',
    'spec.capacity: Required value',
    'spec: Required value: must specify a volume type',
  ])
  const moved = { ...volume, spec: { ...volume.spec, hostPath: { path: '/y' } } }
  assert.match(
    updateProblems(PersistentVolume, volume, moved)[0] ?? '',
    /^spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation/,
  )
})

const service = (spec: object) => ({ metadata, spec: { ports: [{ port: 80 }], ...spec } })
test('services: defaults', () => {
  assert.deepEqual(created(Service, service({ selector: { app: 'x' } })), {
    metadata,
    spec: {
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      selector: { app: 'x' },
      sessionAffinity: 'None',
      type: 'ClusterIP',
    },
    status: { loadBalancer: {} },
  })
})

const invalidServices: [object, string[]][] = [
  [{}, []],
  [{ ports: [] }, ['spec.ports: Required value']],
  [{ ports: [], clusterIP: 'None' }, []],
  [{ type: 'Cloud' }, ['spec.type: Unsupported value: "Cloud": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']],
  [{ ports: [{ port: 0 }] }, ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive']],
  [{ ports: [{ port: 80 }, { port: 81 }] }, ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value']],
  [{ ports: [{ port: 80, nodePort: 30000 }] }, ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]],
  [{ type: 'ExternalName', ports: [] }, ['spec.externalName: Required value']],
  [{ type: 'NodePort', clusterIP: 'None' }, ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services']],
]
test('services: validation', () => {
  for (const [spec, expected] of invalidServices)
    assert.deepEqual(
      problems(Service, service(spec)).filter((one) => !one.includes('targetPort')),
      expected,
      JSON.stringify(spec),
    )
})

test('services keep what was allocated, and lose it with their type', () => {
  const stored = service({ type: 'NodePort', clusterIP: '10.96.0.7', ports: [{ port: 80, nodePort: 30080 }] })
  const again = updated(Service, stored, service({ type: 'NodePort' }))
  assert.deepEqual([again.spec.clusterIP, again.spec.clusterIPs, again.spec.ports?.[0]?.nodePort], ['10.96.0.7', ['10.96.0.7'], 30080])
  const inside = updated(Service, stored, service({ type: 'ClusterIP', ports: [{ port: 80, nodePort: 30080 }] }))
  assert.deepEqual([inside.spec.clusterIP, inside.spec.ports?.[0]?.nodePort], ['10.96.0.7', undefined])
  assert.deepEqual(updateProblems(Service, stored, service({ type: 'NodePort', clusterIP: '10.96.0.8' })), [
    'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
  ])
})

const serviceRows: [object, [string, string, string]][] = [
  [{ type: 'ClusterIP', clusterIP: '10.96.0.7', ports: [{ port: 80, protocol: 'TCP' }] }, ['10.96.0.7', '<none>', '80/TCP']],
  [{ type: 'NodePort', clusterIP: '10.96.0.7', ports: [{ port: 80, nodePort: 30080, protocol: 'UDP' }] }, ['10.96.0.7', '<none>', '80:30080/UDP']],
  [{ type: 'LoadBalancer', clusterIP: '10.96.0.7', ports: [] }, ['10.96.0.7', '<pending>', '<none>']],
  [{ type: 'ExternalName', externalName: 'db.example.com' }, ['<none>', 'db.example.com', '<none>']],
]
test('services: columns', () => {
  for (const [spec, expected] of serviceRows) {
    const cells = row(Service, { metadata, spec })
    assert.deepEqual([cells['Cluster-IP'], cells['External-IP'], cells['Port(s)']], expected)
  }
})

test('endpoints: columns', () => {
  const addresses = ['1', '2', '3', '4'].map((last) => ({ ip: `10.0.0.${last}` }))
  assert.equal(row(Endpoints, { metadata }).Endpoints, '<none>')
  assert.equal(row(Endpoints, { metadata, subsets: [{ addresses, ports: [{ port: 80 }] }] }).Endpoints, '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...')
})

test('nodes: columns', () => {
  const node = {
    metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { kubeletVersion: 'v1.36.0' },
    },
  }
  assert.deepEqual(row(Node, node), {
    Name: 'n',
    Status: 'Ready,SchedulingDisabled',
    Roles: 'control-plane',
    Age: '<unknown>',
    Version: 'v1.36.0',
    'Internal-IP': '10.0.0.1',
    'External-IP': '<none>',
    'OS-Image': '<unknown>',
    'Kernel-Version': '<unknown>',
    'Container-Runtime': '<unknown>',
  })
})

test('events: columns and place', () => {
  const event = {
    metadata,
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'shop' },
    type: 'Normal',
    reason: 'Pulled',
    message: 'done\n',
    count: 2,
    firstTimestamp: '2025-12-31T23:50:00Z',
    lastTimestamp: '2025-12-31T23:59:00Z',
    source: { component: 'kubelet', host: 'n' },
  }
  assert.deepEqual(row(Event, event), {
    'Last Seen': '60s',
    Type: 'Normal',
    Reason: 'Pulled',
    Object: 'pod/p',
    Subobject: '',
    Source: 'kubelet, n',
    Message: 'done',
    'First Seen': '10m',
    Count: 2,
    Name: 'a',
  })
  assert.deepEqual(problems(Event, { ...event, involvedObject: { namespace: 'other' } }), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ])
})
