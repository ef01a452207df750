import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RuntimeError } from '../../runtime.ts'
import { canonicalName, familiarName, parseReference } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('image references', () => {
  const cases: [string, string][] = [
    ['postgres', 'docker.io/library/postgres:latest'],
    ['postgres:15', 'docker.io/library/postgres:15'],
    ['team/app:1.0', 'docker.io/team/app:1.0'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x:2', 'localhost:5000/x:2'],
    ['registry.example:443/a/b/c', 'registry.example:443/a/b/c:latest'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`],
    [`busybox:1@${digest}`, `docker.io/library/busybox@${digest}`],
    ['a__b/c--d', 'docker.io/a__b/c--d:latest'],
  ]
  for (const [text, whole] of cases) it(`${text} is ${whole}`, () => assert.equal(canonicalName(parseReference(text)), whole))

  for (const text of [
    '',
    'UPPER',
    'a/B',
    'x:',
    'x:-tag',
    'x@sha256:12',
    `x@sha512:${'a'.repeat(128)}`,
    'a b',
    '/x',
    'x//y',
    'http://x/y',
    '-x',
    `x:${'t'.repeat(129)}`,
    '$(VAR)',
  ])
    it(`${JSON.stringify(text)} is no name`, () =>
      assert.throws(
        () => parseReference(text),
        (error) => error instanceof RuntimeError && error.code === 'InvalidImageName',
      ))

  it('is short for people', () => {
    assert.equal(familiarName('docker.io/library/postgres:15'), 'postgres:15')
    assert.equal(familiarName('docker.io/team/app:1'), 'team/app:1')
    assert.equal(familiarName('localhost:5000/x:2'), 'localhost:5000/x:2')
  })
})
