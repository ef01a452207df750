import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import { CustomResourceDefinition } from './custom-resource-definition.ts'

function definition(schema: object, more: object = {}, version: object = {}): V1CustomResourceDefinition {
  const made = {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...version }],
      ...more,
    },
  } as unknown as V1CustomResourceDefinition
  CustomResourceDefinition.applyDefaults(made)
  return made
}

const root = 'spec.versions[0].schema.openAPIV3Schema'
const errors = (made: V1CustomResourceDefinition) => CustomResourceDefinition.validate(made).map(({ field, message }) => `${field}: ${message}`)

test('a plain definition is good', () => {
  assert.deepEqual(errors(definition({ type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } })), [])
  const port = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }
  assert.deepEqual(errors(definition({ type: 'object', properties: { port } })), [])
})

test('a schema that is not structural is refused', () => {
  assert.deepEqual(errors(definition({})), [`${root}.type: Required value: must not be empty at the root`])
  assert.deepEqual(errors(definition({ type: 'array' })), [`${root}.type: Invalid value: "array": must be object at the root`])
  const properties = {
    free: {},
    list: { type: 'array' },
    map: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } },
    both: { type: 'object', properties: {}, additionalProperties: { type: 'string' } },
    word: { type: 'text' },
    either: { type: 'object', anyOf: [{ type: 'object' }] },
  }
  assert.deepEqual(errors(definition({ type: 'object', properties })), [
    `${root}.properties[free].type: Required value: must not be empty for specified object fields`,
    `${root}.properties[list].items: Required value: must be specified`,
    `${root}.properties[map].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
    `${root}.properties[both].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
    `${root}.properties[word].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    `${root}.properties[either].anyOf[0].type: Forbidden: must be empty to be structural`,
  ])
})

test('names, columns and scale paths are checked', () => {
  const version = { additionalPrinterColumns: [{ name: 'X', type: 'text', jsonPath: 'spec' }], subresources: { scale: { specReplicasPath: '.replicas' } } }
  const found = errors(definition({ type: 'object' }, { group: 'x.k8s.io', names: { plural: 'Things', kind: 'thing one', listKind: 'ThingList' } }, version))
  const fields = found.map((text) => text.slice(0, text.indexOf(': ')))
  assert.deepEqual(fields, [
    'metadata.name',
    'metadata.annotations[api-approved.kubernetes.io]',
    'spec.versions[0].additionalPrinterColumns[0].type',
    'spec.versions[0].additionalPrinterColumns[0].jsonPath',
    'spec.versions[0].subresources.scale.specReplicasPath',
    'spec.versions[0].subresources.scale.statusReplicasPath',
    'spec.names.plural',
    'spec.names.singular',
    'spec.names.kind',
  ])
})

test('what is stored in a version keeps that version; group and scope stay', () => {
  const stored = definition({ type: 'object' })
  stored.status = { storedVersions: ['v1'], conditions: [{ type: 'Established', status: 'True' }] }
  const draft = structuredClone(stored)
  draft.spec.scope = 'Cluster'
  for (const version of draft.spec.versions) version.name = 'v2'
  const found = CustomResourceDefinition.validateUpdate(draft, stored).map(({ field, message }) => `${field}: ${message}`)
  assert.deepEqual(found, [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions',
  ])
})

test('rules must be expressions', () => {
  const rules = [{ rule: 'self.a ==' }, { rule: '' }, { rule: 'true', message: ' ' }]
  assert.deepEqual(
    errors(definition({ type: 'object', 'x-kubernetes-validations': rules })).map((text) => text.replace(/ERROR.*/, '…')),
    [
      `${root}.x-kubernetes-validations[0].rule: Invalid value: "self.a ==": compilation failed: …`,
      `${root}.x-kubernetes-validations[1].rule: Required value: rule is not specified`,
      `${root}.x-kubernetes-validations[2].message: Invalid value: " ": message must be non-empty if specified`,
    ],
  )
})
