/** One case or two for kinds that have little to say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../machinery/object.ts'
import type { CoreV1Event } from '../machinery/schema/generated/types.ts'
import { ValidatingWebhookConfiguration } from './admissionregistration/validating-webhook-configuration.ts'
import { CustomResourceDefinition } from './apiextensions/custom-resource-definition.ts'
import { APIService } from './apiregistration/api-service.ts'
import { DaemonSet } from './apps/daemon-set.ts'
import { StatefulSet } from './apps/stateful-set.ts'
import { CertificateSigningRequest } from './certificates/certificate-signing-request.ts'
import { Lease } from './coordination/lease.ts'
import { Event } from './core/event.ts'
import { LimitRange } from './core/limit-range.ts'
import { ResourceQuota } from './core/resource-quota.ts'
import { EndpointSlice } from './discovery/endpoint-slice.ts'
import { EventsEvent } from './events/event.ts'
import { PriorityLevelConfiguration } from './flowcontrol/priority-level-configuration.ts'
import { IPAddress } from './networking/ip-address.ts'
import { NetworkPolicy } from './networking/network-policy.ts'
import { PodDisruptionBudget } from './policy/pod-disruption-budget.ts'
import type { Resource } from './resource.ts'
import { PriorityClass } from './scheduling/priority-class.ts'
import { StorageClass } from './storage/storage-class.ts'
import { created, problems, row, updateProblems } from './testing/draft.ts'

const namespaced = { name: 'a', namespace: 'shop' }
const metadata = { name: 'a' }
const of = <T extends KubeObject>(resource: Resource<T>): Resource => resource as unknown as Resource
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }
const selector = { matchLabels: { a: 'b' } }

const validation: [Resource, object, string[]][] = [
  [of(Lease), { metadata: namespaced, spec: { leaseDurationSeconds: 0 } }, ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0']],
  [of(EndpointSlice), { metadata: namespaced }, ['addressType: Required value']],
  [
    of(EndpointSlice),
    { metadata: namespaced, addressType: 'IPv4', endpoints: [{ addresses: ['::1'] }] },
    ['endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address'],
  ],
  [of(StatefulSet), { metadata: namespaced, spec: { selector, template, serviceName: 'a' } }, []],
  [
    of(StatefulSet),
    {
      metadata: namespaced,
      spec: {
        selector,
        template: { ...template, spec: { containers: [{ name: 'c', image: 'i:1', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] } },
        volumeClaimTemplates: [{ metadata: { name: 'data' } }],
      },
    },
    [],
  ],
  [
    of(DaemonSet),
    { metadata: namespaced, spec: { selector, template, updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } } },
    ['spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  ],
  [
    of(PodDisruptionBudget),
    { metadata: namespaced, spec: { minAvailable: 1, maxUnavailable: 1 } },
    ['spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set'],
  ],
  [of(NetworkPolicy), { metadata: namespaced, spec: { ingress: [{ from: [{}] }] } }, ['spec.ingress[0].from[0]: Required value: must specify a peer']],
  [of(IPAddress), { metadata: { name: '10.0.0.1' }, spec: { parentRef: { resource: 'services', name: 'a' } } }, []],
  [of(PriorityClass), { metadata, value: 2e9 }, ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000']],
  [
    of(StorageClass),
    { metadata, provisioner: 'x/y', reclaimPolicy: 'Recycle' },
    ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
  ],
  [of(ResourceQuota), { metadata: namespaced, spec: { hard: { pods: '-1' } } }, ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']],
  [
    of(CertificateSigningRequest),
    { metadata, spec: { request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----').toString('base64'), signerName: 'a.b/c' } },
    ['spec.usages: Required value: usages must be specified'],
  ],
  [of(APIService), { metadata: { name: 'v1.' }, spec: { version: 'v1', groupPriorityMinimum: 18000, versionPriority: 1 } }, []],
  [of(PriorityLevelConfiguration), { metadata, spec: { type: 'Exempt' } }, []],
  [
    of(CustomResourceDefinition),
    {
      metadata,
      spec: {
        group: 'x.io',
        scope: 'Namespaced',
        names: { plural: 'as', kind: 'A' },
        versions: [{ name: 'v1', storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    ['metadata.name: Invalid value: "a": must be spec.names.plural+"."+spec.group'],
  ],
  [
    of(ValidatingWebhookConfiguration),
    { metadata, webhooks: [{ name: 'a.b.c', sideEffects: 'None', admissionReviewVersions: ['v1'], clientConfig: {} }] },
    ['webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
  ],
]
test('validation', () => {
  for (const [resource, object, expected] of validation) assert.deepEqual(problems(resource, object), expected, resource.kind)
})

test('defaults', () => {
  assert.deepEqual(created(NetworkPolicy, { metadata: namespaced, spec: { egress: [{ ports: [{ port: 53 }] }] } }).spec, {
    egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }],
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  })
  assert.deepEqual(
    created(LimitRange, { metadata: namespaced, spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '100m' } }] } }).spec?.limits[0],
    {
      type: 'Container',
      max: { cpu: '2' },
      min: { cpu: '100m' },
      default: { cpu: '2' },
      defaultRequest: { cpu: '2' },
    },
  )
})

test('what may not change', () => {
  const set = { metadata: namespaced, spec: { selector, template, serviceName: 'a' } }
  assert.match(
    updateProblems(StatefulSet, set, { ...set, spec: { ...set.spec, serviceName: 'b' } })[0] ?? '',
    /^spec: Forbidden: updates to statefulset spec for fields other than/,
  )
  assert.deepEqual(updateProblems(StatefulSet, set, { ...set, spec: { ...set.spec, replicas: 3 } }), [])
  assert.deepEqual(updateProblems(StorageClass, { metadata, provisioner: 'x/y' }, { metadata, provisioner: 'x/z' }), [
    'provisioner: Forbidden: updates to provisioner are forbidden.',
  ])
})

test('columns', () => {
  const marked = { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }
  assert.equal(row(StorageClass, { metadata: marked, provisioner: 'x/y' }).Name, 'standard (default)')
  const slice = {
    metadata: namespaced,
    addressType: 'IPv4',
    ports: [{ port: 80 }],
    endpoints: ['1', '2', '3', '4'].map((last) => ({ addresses: [`10.0.0.${last}`] })),
  }
  const { Ports, Endpoints } = row(EndpointSlice, slice)
  assert.deepEqual([Ports, Endpoints], ['80', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...'])
  const quota = { metadata: namespaced, status: { hard: { pods: '4', 'limits.cpu': '2', cpu: '1' }, used: { pods: '1' } } }
  assert.deepEqual([row(ResourceQuota, quota).Request, row(ResourceQuota, quota).Limit], ['cpu: 0/1, pods: 1/4', 'limits.cpu: 0/2'])
})

test('events of both groups are one object', () => {
  const stored = created(Event, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: namespaced,
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'shop' },
    reason: 'Pulled',
    message: 'done',
    type: 'Normal',
    count: 2,
    firstTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'kubelet' },
    eventTime: '2026-01-01T00:00:00.000000Z',
  })
  const newer = EventsEvent.storedAs?.fromStored(stored as never)
  assert.deepEqual([newer?.apiVersion, newer?.note, newer?.regarding?.name, newer?.deprecatedCount], ['events.k8s.io/v1', 'done', 'p', 2])
  assert.deepEqual(newer && (EventsEvent.storedAs?.toStored(newer) as unknown as CoreV1Event), stored)
})
