import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtInResources } from '../apis/built-in.ts'
import { readBuiltInSchema } from '../machinery/schema/built-in.ts'
import * as references from './resources.ts'

test('each reference names a resource that is served, as it is served', () => {
  const served = new Map(builtInResources(readBuiltInSchema()).map((resource) => [`${resource.group}/${resource.version}/${resource.plural}`, resource]))
  for (const [name, { group, version, kind, plural, namespaced }] of Object.entries(references)) {
    const resource = served.get(`${group}/${version}/${plural}`)
    assert.ok(resource, name)
    assert.deepEqual([resource.kind, resource.namespaced], [kind, namespaced], name)
  }
})
