import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestServer, type TestServer } from '../testing/test-server.ts'

const path = '/api/v1/namespaces/default/configmaps'
let t: TestServer

before(async () => {
  t = await startTestServer()
})
after(() => t.stop())

const yaml = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: "1"\n  a: "2"\n`
const as = (type: string) => ({ headers: { 'content-type': `application/${type}` } })

test('keys that stand twice in YAML are told of, by line', async () => {
  const strict = await t.call('POST', `${path}?fieldValidation=Strict`, yaml('a'), as('yaml'))
  assert.equal(strict.status, 400)
  assert.match(strict.object.message ?? '', /strict decoding error: yaml: unmarshal errors:\n {2}line 7: key "a" already set in map$/)
  const warned = await t.call('POST', path, yaml('a'), as('yaml'))
  assert.equal(warned.status, 201)
  assert.deepEqual(warned.warnings, ['yaml: unmarshal errors: line 7: key "a" already set in map'])
})

test('patches are read as strictly', async () => {
  const apply = `${path}/b?fieldManager=m&fieldValidation=`
  const strict = await t.call('PATCH', `${apply}Strict`, yaml('b'), as('apply-patch+yaml'))
  assert.equal(strict.status, 400)
  assert.match(strict.object.message ?? '', /^error strict decoding YAML: .*\n {2}line 7: key "a" already set in map$/)
  assert.equal((await t.call('PATCH', `${apply}Ignore`, yaml('b'), as('apply-patch+yaml'))).status, 201)

  const patch = '{"data":{"c":"1","c":"2"}}'
  const merge = await t.call('PATCH', `${path}/b?fieldValidation=Strict`, patch, as('merge-patch+json'))
  assert.equal(merge.status, 422)
  assert.match(merge.object.message ?? '', /strict decoding error: duplicate field "data\.c"/)
  assert.deepEqual((await t.call('PATCH', `${path}/b`, patch, as('merge-patch+json'))).warnings, ['duplicate field "data.c"'])
})
