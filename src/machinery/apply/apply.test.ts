import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../errors.ts'
import { readBuiltInSchema } from '../schema/built-in.ts'
import type { V1ManagedFieldsEntry } from '../schema/generated/types.ts'
import { Schema } from '../schema/schema.ts'
import { apply } from './apply.ts'
import { trackUpdate } from './track-update.ts'

const schema = new Schema(readBuiltInSchema())
const t0 = Date.UTC(2026, 0, 1)

interface Thing {
  apiVersion: string
  kind: string
  metadata: { [field: string]: unknown; managedFields?: V1ManagedFieldsEntry[] }
  [field: string]: unknown
}

const deployment = (spec: unknown, metadata: object = {}): Thing => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', ...metadata },
  spec,
})
const options = { schema, model: 'V1Deployment', apiVersion: 'apps/v1', now: t0 }
const applyAs = (manager: string, live: Thing | undefined, applied: Thing, force = false, now = t0) => apply({ ...options, manager, live, applied, force, now })
const updateAs = (manager: string, live: Thing | undefined, updated: Thing, now = t0, more = {}) =>
  trackUpdate({ ...options, manager, live, updated, now, ...more })
const fieldsOf = (thing: Thing, manager: string) => thing.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1
const base = (image = 'nginx:1', replicas: number | undefined = undefined) =>
  deployment(
    {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image, ports: [{ containerPort: 80 }] }] } },
    },
    { labels: { app: 'web' } },
  )

test('the fields of an applier', () => {
  const created = applyAs('me', undefined, base('nginx:1', 3))
  assert.deepEqual(created.metadata.managedFields, [
    {
      manager: 'me',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"nginx"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
                },
              },
            },
          },
        },
      },
    },
  ])
})

test('the fields of a writer', () => {
  const created = updateAs('kubectl', undefined, { ...base('nginx:1', 3), status: {} })
  const fields = fieldsOf(created, 'kubectl') as Record<string, object>
  assert.deepEqual(fields['f:metadata'], { 'f:labels': { '.': {}, 'f:app': {} } })
  assert.deepEqual(fields['f:spec'], {
    '.': {},
    'f:replicas': {},
    'f:selector': {},
    'f:template': {
      '.': {},
      'f:metadata': { '.': {}, 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': {
        '.': {},
        'f:containers': {
          '.': {},
          'k:{"name":"nginx"}': {
            '.': {},
            'f:image': {},
            'f:name': {},
            'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  })
})

test('to apply the same again changes nothing, not even a time', () => {
  const created = applyAs('me', undefined, base())
  assert.equal(applyAs('me', created, base(), false, t0 + 60000), created)
})

test('a conflict, in words, and by force', () => {
  const created = updateAs('kubectl-client-side-apply', undefined, base('nginx:1', 3))
  const wanted = deployment({ replicas: 5 })
  assert.throws(
    () => applyAs('me', created, wanted),
    (error: unknown) => {
      assert(error instanceof ApiError)
      assert.equal(error.code, 409)
      assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas')
      assert.deepEqual(error.status.details?.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-client-side-apply" using apps/v1', field: '.spec.replicas' },
      ])
      return true
    },
  )
  const forced = applyAs('me', created, wanted, true)
  assert.equal((forced.spec as { replicas: number }).replicas, 5)
  assert.equal('f:replicas' in ((fieldsOf(forced, 'kubectl-client-side-apply') as Record<string, object>)['f:spec'] ?? {}), false)
})

test('several conflicts name their paths', () => {
  const created = applyAs('other', undefined, base('nginx:1', 3))
  assert.throws(() => applyAs('me', created, base('nginx:2', 4)), {
    message: 'Apply failed with 2 conflicts: conflicts with "other":\n- .spec.replicas\n- .spec.template.spec.containers[name="nginx"].image',
  })
})

test('to agree is no conflict: both own', () => {
  const created = applyAs('one', undefined, base('nginx:1', 3))
  const shared = applyAs('two', created, deployment({ replicas: 3 }))
  assert.equal(shared.metadata.managedFields?.length, 2)
  // The one who leaves a field that another owns does not remove it.
  const left = applyAs('two', shared, deployment({ paused: true }))
  assert.equal((left.spec as { replicas?: number }).replicas, 3)
  assert.equal((left.spec as { paused?: boolean }).paused, true)
})

test('what is applied no more goes, unless another owns it', () => {
  const first = applyAs('me', undefined, base('nginx:1', 3))
  const scaled = updateAs('hpa', first, { ...first, spec: { ...(first.spec as object), replicas: 7 } }, t0 + 1000)
  assert.equal('f:replicas' in ((fieldsOf(scaled, 'me') as Record<string, object>)['f:spec'] ?? {}), false)
  const without = base()
  delete (without.metadata as { labels?: unknown }).labels
  const next = applyAs('me', scaled, without)
  assert.equal((next.spec as { replicas: number }).replicas, 7)
  assert.equal('labels' in next.metadata, false)
})

test('an item that is applied no more goes from the list, items of others stay', () => {
  const two = base()
  ;(two.spec as { template: { spec: { containers: object[] } } }).template.spec.containers.push({ name: 'sidecar', image: 's:1' })
  const first = applyAs('me', undefined, two)
  const injected = structuredClone(first)
  ;(injected.spec as { template: { spec: { containers: object[] } } }).template.spec.containers.push({ name: 'proxy', image: 'p:1' })
  const withProxy = updateAs('injector', first, injected)
  const next = applyAs('me', withProxy, base())
  assert.deepEqual(
    (next.spec as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers.map(({ name }) => name),
    ['nginx', 'proxy'],
  )
})

test('an object without owners is owned by before-first-apply', () => {
  const applied = applyAs('me', base('nginx:1', 3), deployment({ replicas: 3 }))
  assert.deepEqual(
    applied.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`),
    ['me Apply', 'before-first-apply Update'],
  )
})

test('kubectl takes over what it applied from the client', () => {
  const sent = base('nginx:1', 3)
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(sent) }
  const created = updateAs('kubectl-client-side-apply', undefined, { ...sent, metadata: { ...sent.metadata, annotations } })
  const next = applyAs('kubectl', created, base('nginx:2', 3))
  assert.equal((next.spec as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers[0]?.image, 'nginx:2')
  assert.match((next.metadata as { annotations: Record<string, string> }).annotations['kubectl.kubernetes.io/last-applied-configuration'] ?? '', /nginx:2/)
  assert.throws(() => applyAs('someone', created, base('nginx:2', 3)), /conflict with "kubectl-client-side-apply"/)
})

test('status belongs to who writes status', () => {
  const created = updateAs('kubectl', undefined, base())
  const status = { ...created, status: { conditions: [{ type: 'Available', status: 'True' }] } }
  const next = updateAs('kube-controller-manager', created, status, t0 + 1000, { subresource: 'status', resets: ['spec'] })
  assert.deepEqual(next.metadata.managedFields?.[1], {
    manager: 'kube-controller-manager',
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: '2026-01-01T00:00:01Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:status': { '.': {}, 'f:conditions': { '.': {}, 'k:{"type":"Available"}': { '.': {}, 'f:status': {}, 'f:type': {} } } } },
    subresource: 'status',
  })
})

test('an update without change keeps the entries as they are', () => {
  const created = updateAs('kubectl', undefined, base())
  const again = updateAs('kubectl', created, structuredClone(created), t0 + 1000)
  assert.equal(again.metadata.managedFields, created.metadata.managedFields)
})

test('an empty list from the client forgets all owners', () => {
  const created = updateAs('kubectl', undefined, base())
  const reset = updateAs('kubectl', created, { ...created, metadata: { ...created.metadata, managedFields: [] } })
  assert.equal('managedFields' in reset.metadata, false)
})

test('no more than ten updaters: the oldest become ancient-changes', () => {
  let thing = updateAs('m0', undefined, base())
  for (let i = 1; i <= 12; i++) {
    const metadata = { ...thing.metadata, labels: { ...(thing.metadata.labels as object), [`l${i}`]: 'x' } }
    thing = updateAs(`m${i}`, thing, { ...thing, metadata }, t0 + i * 1000)
  }
  const managers = thing.metadata.managedFields?.map(({ manager }) => manager)
  assert.equal(managers?.length, 10)
  assert.equal(managers?.[0], 'ancient-changes')
  assert.equal('f:l2' in ((fieldsOf(thing, 'ancient-changes') as Record<string, Record<string, object>>)['f:metadata']?.['f:labels'] ?? {}), true)
})

test('what cannot be applied', () => {
  assert.throws(() => applyAs('me', undefined, deployment({ foo: 1 })), {
    message: 'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  })
  assert.throws(() => applyAs('me', undefined, deployment({ replicas: 'two' })), {
    message: 'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got string',
  })
  assert.throws(() => applyAs('me', undefined, deployment({ template: { spec: { containers: [{ image: 'x' }] } } })), /omits key field "name"/)
  assert.throws(() => applyAs('me', undefined, { ...base(), metadata: { name: 'web', managedFields: [] } }), /managedFields must be nil/)
  assert.throws(() => applyAs('me', undefined, { ...base(), apiVersion: 'apps/v2' }), /Incorrect version specified/)
})
