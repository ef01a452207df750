import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBuiltInSchema } from './built-in.ts'
import { Schema } from './schema.ts'

const schema = new Schema(readBuiltInSchema())
const errorOf = (model: string, value: unknown) => schema.checkTypes(model, value).error

test('a value of the right types stays the very same', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'x', labels: { a: 'b' } },
    spec: { replicas: 3, template: { spec: { containers: [{ name: 'a', resources: { limits: { cpu: '100m' } } }] } } },
  }
  assert.equal(schema.prune('V1Deployment', deployment), deployment)
})

test('wrong types, in the words of the Go decoder', () => {
  const cases: [string, unknown, string][] = [
    ['V1Deployment', { spec: { replicas: '3' } }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    ['V1Deployment', { spec: { replicas: 1.5 } }, 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [
      'V1Deployment',
      { spec: { replicas: 3000000000 } },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    ['V1Deployment', { metadata: { labels: { a: 1 } } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
    [
      'V1Deployment',
      { spec: { template: { spec: { containers: { name: 'a' } } } } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    ['V1Pod', { spec: 'x' }, 'json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec'],
    ['V1ConfigMap', { data: { a: true } }, 'json: cannot unmarshal bool into Go struct field ConfigMap.data of type string'],
    ['V1Pod', [], 'json: cannot unmarshal array into Go value of type v1.Pod'],
    [
      'V1Service',
      { spec: { ports: [{ port: 80, targetPort: true }] } },
      'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32',
    ],
    ['V1Secret', { data: { a: '%%%' } }, 'illegal base64 data at input byte 0'],
    [
      'V1Pod',
      { spec: { containers: [{ resources: { limits: { cpu: 'much' } } }] } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['V1Pod', { metadata: { creationTimestamp: 'yesterday' } }, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'],
  ]
  for (const [model, value, message] of cases) assert.equal(errorOf(model, value), message)
})

test('base64 is counted as Go counts', () => {
  const cases: [string, number | undefined][] = [
    ['', undefined],
    ['YQ==', undefined],
    ['YWI=', undefined],
    ['YW\nJj', undefined],
    ['YWJj', undefined],
    ['not base64!', 3],
    ['YWJ', 0],
    ['YWJjZA', 4],
    ['a=', 1],
    ['YWJj=', 4],
    ['YQ=', 3],
    ['YWI==', 4],
    ['YQ==x', 4],
  ]
  for (const [text, at] of cases)
    assert.equal(errorOf('V1Secret', { data: { a: text } }), at === undefined ? undefined : `illegal base64 data at input byte ${at}`, text)
})

test('unknown fields are named with their path and dropped', () => {
  const value = { foo: 1, spec: { containers: [{ name: 'a', bar: { x: 1 } }] } }
  const { object, unknownFields } = schema.conform('V1Pod', value)
  assert.deepEqual(unknownFields, ['foo', 'spec.containers[0].bar'])
  assert.deepEqual(object, { spec: { containers: [{ name: 'a' }] } })
  assert.equal(value.foo, 1)
})

test('nulls are as if they were not there', () => {
  assert.deepEqual(
    schema.prune<unknown>('V1Pod', { metadata: { creationTimestamp: null, labels: { a: null } }, spec: { containers: [{ args: ['x', null] }] }, status: null }),
    {
      metadata: { labels: { a: '' } },
      spec: { containers: [{ args: ['x', ''] }] },
    },
  )
})

test('quantities and times take their canonical form', () => {
  assert.deepEqual(schema.prune<unknown>('V1Pod', { spec: { containers: [{ resources: { requests: { cpu: 0.5, memory: '2048Mi' } } }] } }), {
    spec: { containers: [{ resources: { requests: { cpu: '500m', memory: '2Gi' } } }] },
  })
  assert.deepEqual(schema.prune<unknown>('V1Pod', { metadata: { deletionTimestamp: '2026-01-02T03:04:05.678+01:00' } }), {
    metadata: { deletionTimestamp: '2026-01-02T02:04:05Z' },
  })
  assert.deepEqual(schema.prune<unknown>('V1Lease', { spec: { renewTime: '2026-01-02T03:04:05.5Z' } }), { spec: { renewTime: '2026-01-02T03:04:05.500000Z' } })
})

test('a model that nobody knows takes anything', () => {
  assert.deepEqual(schema.conform('Widget', { any: [{ thing: null }] }), { object: { any: [{ thing: null }] }, error: undefined, unknownFields: [] })
})

test('names of definitions', () => {
  assert.equal(schema.definitionOf('V1Deployment'), 'io.k8s.api.apps.v1.Deployment')
  assert.equal(schema.definitionOf('CoreV1Event'), 'io.k8s.api.core.v1.Event')
  assert.equal(schema.modelOf('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'), 'V1ObjectMeta')
})

test('empty lists and maps are kept only where the field must be there', () => {
  const pod = { metadata: { name: 'x', labels: {}, ownerReferences: [], finalizers: [] }, spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }] } }
  const { object } = schema.conform('V1Pod', pod)
  assert.deepEqual(object, { metadata: { name: 'x' }, spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }] } })
})
