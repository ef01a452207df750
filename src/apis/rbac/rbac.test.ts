import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, problems, row, updateProblems } from '../testing/draft.ts'
import { ClusterRole } from './cluster-role.ts'
import { Role } from './role.ts'
import { RoleBinding } from './role-binding.ts'

const metadata = { name: 'read', namespace: 'shop' }

const rules: [object, string[]][] = [
  [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, []],
  [{ apiGroups: [''], resources: ['pods'] }, ['rules[0].verbs: Required value: verbs must contain at least one value']],
  [{ resources: ['pods'], verbs: ['get'] }, ['rules[0].apiGroups: Required value: resource rules must supply at least one api group']],
  [{ nonResourceURLs: ['/x'], verbs: ['get'] }, ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs']],
]
test('rules', () => {
  for (const [rule, expected] of rules) assert.deepEqual(problems(Role, { metadata, rules: [rule] }), expected)
})

test('names are path segments', () => {
  assert.deepEqual(problems(ClusterRole, { metadata: { name: 'system:node' }, rules: [] }), [])
  assert.deepEqual(problems(ClusterRole, { metadata: { name: 'a/b' }, rules: [] }), ['metadata.name: Invalid value: "a/b": may not contain \'/\''])
})

const binding = (roleRef: object, subjects: object[]) => ({ metadata, roleRef: { kind: 'Role', name: 'read', ...roleRef }, subjects })
test('bindings', () => {
  const good = binding({}, [
    { kind: 'User', name: 'ann' },
    { kind: 'ServiceAccount', name: 'default', namespace: 'shop' },
  ])
  assert.deepEqual(created(RoleBinding, good).subjects?.[0]?.apiGroup, 'rbac.authorization.k8s.io')
  assert.deepEqual(problems(RoleBinding, good), [])
  assert.deepEqual(problems(RoleBinding, binding({ kind: 'Thing' }, [])), ['roleRef.kind: Unsupported value: "Thing": supported values: "ClusterRole", "Role"'])
  assert.match(updateProblems(RoleBinding, good, binding({ name: 'other' }, []))[0] ?? '', /^roleRef: .*: cannot change roleRef$/)
  assert.deepEqual(row(RoleBinding, good), { Name: 'read', Role: 'Role/read', Age: '<unknown>', Users: 'ann', Groups: '', ServiceAccounts: 'shop/default' })
})
