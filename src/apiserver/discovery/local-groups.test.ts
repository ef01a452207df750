import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineResource } from '../../apis/define-resource.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { startTestServer } from '../testing/test-server.ts'
import { localGroups } from './local-groups.ts'

const path = '/apis/apiregistration.k8s.io/v1/apiservices'

test('each served group is listed as local and available, and those that come and go', async () => {
  const t = await startTestServer({ parts: [localGroups] })
  const names = async () => (await t.call('GET', path)).object.items.map((item) => item.metadata.name)
  const first = await names()
  for (const name of ['v1.', 'v1.apps', 'v2.autoscaling', 'v1.rbac.authorization.k8s.io']) assert.ok(first.includes(name), name)
  assert.ok(!first.includes('v1.apiregistration.k8s.io'))
  const table = await t.call('GET', `${path}/v1.apps`, undefined, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  const [row] = (table.object as unknown as { rows: { cells: unknown[] }[] }).rows
  assert.deepEqual(row?.cells.slice(0, 3), ['v1.apps', 'Local', 'True'])

  const added = defineResource<AnyObject>({ group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true, model: 'example' })
  const watch = await t.watch(`${path}?watch=true&fieldSelector=metadata.name=v1.example.com`)
  t.server.access.resources.add(added)
  assert.equal((await watch.next()).value.type, 'ADDED')
  t.server.access.resources.remove('example.com', 'v1', 'things')
  for (;;) if ((await watch.next()).value.type === 'DELETED') break
  await t.stop()
})
