import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonSchema } from './json-schema.ts'
import { rulesOf } from './rules.ts'

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': [
        { rule: 'self.minReplicas <= self.replicas', messageExpression: "'replicas must be at least ' + string(self.minReplicas)" },
        { rule: '!has(self.start) || self.start < self.end', message: 'it ends before it begins', reason: 'FieldValueForbidden', fieldPath: '.end' },
        { rule: 'self.maximum > 1', message: 'unused' },
      ],
      properties: {
        replicas: { type: 'integer' },
        minReplicas: { type: 'integer' },
        maximum: { type: 'integer' },
        start: { type: 'string', format: 'date-time' },
        end: { type: 'string', format: 'date-time' },
        name: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'name is immutable' }] },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            'x-kubernetes-validations': [{ rule: 'self.port >= oldSelf.port' }],
            properties: { name: { type: 'string' }, port: { type: 'integer' } },
          },
        },
      },
    },
  },
} as unknown as JsonSchema

const good = { replicas: 2, minReplicas: 1, maximum: 2, name: 'a', ports: [{ name: 'x', port: 80 }] }

function errors(spec: object, before?: object): string[] {
  const stored = before && { spec: before }
  return (rulesOf(schema)?.check({ spec }, stored) ?? []).map(({ field, message }) => `${field}: ${message}`)
}

test('rules that hold say nothing', () => {
  assert.deepEqual(errors(good), [])
  assert.deepEqual(errors({ ...good, start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' }), [])
})

test('rules that fail say why, where they are told to', () => {
  assert.deepEqual(errors({ ...good, minReplicas: 3 }), ['spec: Invalid value: "object": replicas must be at least 3'])
  assert.deepEqual(errors({ ...good, start: '2024-01-03T00:00:00Z', end: '2024-01-02T00:00:00Z' }), ['spec.end: Forbidden: it ends before it begins'])
})

test('a rule that cannot be evaluated fails', () => {
  const { maximum: _, ...rest } = good
  assert.deepEqual(errors(rest), ['spec: Invalid value: "object": no such key: maximum evaluating rule: unused'])
})

test('rules over time are asked of what was there before', () => {
  assert.deepEqual(errors({ ...good, name: 'b' }, good), ['spec.name: Invalid value: "string": name is immutable'])
  const ports = [
    { name: 'new', port: 1 },
    { name: 'x', port: 79 },
  ]
  assert.deepEqual(errors({ ...good, ports }, good), ['spec.ports[1]: Invalid value: "object": failed rule: self.port >= oldSelf.port'])
})

test('a schema without rules has none', () => assert.equal(rulesOf({ type: 'object', properties: { a: { type: 'string' } } } as JsonSchema), undefined))
