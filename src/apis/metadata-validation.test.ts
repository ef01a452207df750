import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDnsSubdomain } from '../machinery/names.ts'
import { validateMetadata, validateMetadataUpdate } from './metadata-validation.ts'

const rules = { namespaced: true, validateName: isDnsSubdomain }
const shown = (errors: { field: string; message: string }[]) => errors.map(({ field, message }) => `${field}: ${message.slice(0, 60)}`)

const atCreation: [object, string[]][] = [
  [{ name: 'a', namespace: 'b' }, []],
  [{ namespace: 'b' }, ['metadata.name: Required value: name or generateName is required']],
  [{ name: 'a' }, ['metadata.namespace: Required value']],
  [{ name: 'A', namespace: 'b' }, ['metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must cons']],
  [{ name: 'a', namespace: 'b', generateName: 'a-' }, []],
  [{ name: 'a', namespace: 'b', labels: { 'x y': '' } }, ['metadata.labels: Invalid value: "x y": name part must consist of alphanumeric']],
  [{ name: 'a', namespace: 'b', labels: { x: 'y z' } }, ['metadata.labels: Invalid value: "y z": a valid label must be an empty string ']],
  [{ name: 'a', namespace: 'b', finalizers: ['mine'] }, ['metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer ']],
  [
    { name: 'a', namespace: 'b', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] },
    ['metadata.ownerReferences.uid: Invalid value: "": must not be empty'],
  ],
]
test('at creation', () => {
  for (const [metadata, expected] of atCreation) assert.deepEqual(shown(validateMetadata(metadata, rules)), expected, JSON.stringify(metadata))
})

test('at an update', () => {
  const stored = { name: 'a', namespace: 'b', uid: 'u', finalizers: ['a/b'], deletionTimestamp: '2026-01-01T00:00:00Z' }
  assert.deepEqual(validateMetadataUpdate({ ...stored, finalizers: [] }, stored), [])
  assert.deepEqual(shown(validateMetadataUpdate({ ...stored, uid: 'v' }, stored)), ['metadata.uid: Invalid value: "v": field is immutable'])
  assert.match(validateMetadataUpdate({ ...stored, finalizers: ['a/b', 'c/d'] }, stored)[0]?.message ?? '', /found new finalizers \[\]string\{"c\/d"\}$/)
})
