import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from './api-client.ts'
import { discover } from './discovery.ts'
import type { Transport } from './transport.ts'

const over = (answers: Record<string, unknown>) => {
  const transport: Transport = {
    request: async ({ path }) => (path in answers ? { status: 200, headers: {}, object: answers[path] } : { status: 404, headers: {} }),
    close() {},
  }
  return discover(createClient(transport, { userAgent: 'test' }))
}

test('empty lists may be null, in both forms of discovery', async () => {
  const thing = { group: 'example.dev', version: 'v1', kind: 'Thing', plural: 'things', namespaced: true, verbs: [] }
  const aggregated = (items: unknown) => ({ kind: 'APIGroupDiscoveryList', items })
  const version = (resources: unknown) => ({ version: 'v1', resources })
  const newer = await over({
    '/api': aggregated(null),
    '/apis': aggregated([
      { metadata: { name: 'none.dev' }, versions: null },
      { metadata: { name: 'empty.dev' }, versions: [version(null)] },
      {
        metadata: { name: 'example.dev' },
        versions: [version([{ resource: 'things', responseKind: { kind: 'Thing' }, scope: 'Namespaced', verbs: null }])],
      },
    ]),
  })
  assert.deepEqual(newer, { resources: [thing], failed: [] })
  const group = (name: string) => ({ name, versions: [{ version: 'v1' }] })
  const older = await over({
    '/api': { kind: 'APIVersions', versions: null },
    '/apis': { kind: 'APIGroupList', groups: [group('empty.dev'), group('example.dev')] },
    '/apis/empty.dev/v1': { resources: null },
    '/apis/example.dev/v1': { resources: [{ name: 'things', kind: 'Thing', namespaced: true, verbs: null }] },
  })
  assert.deepEqual(older, { resources: [thing], failed: [] })
})
