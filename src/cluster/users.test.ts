import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultClusterRoleBindings, defaultRoleBindings } from '../apiserver/authorization/default-roles/objects.ts'
import { allControllers } from '../controllers/all-controllers.ts'
import { controllerUser, serviceAccountUser } from './users.ts'

test('each controller has the rights of an account', () => {
  const bound = new Set(
    [...defaultClusterRoleBindings(), ...defaultRoleBindings()].flatMap(({ subjects = [] }) =>
      subjects.map(({ kind, name, namespace = '' }) => (kind === 'ServiceAccount' ? serviceAccountUser(namespace, name).name : name)),
    ),
  )
  const { definitions, others } = allControllers({ clusterCa: 'PEM', certificateSigner: {} as never })
  const names = [...definitions, ...others].map(({ name }) => name)
  assert.ok(names.length > 30)
  assert.deepEqual(
    names.filter((name) => !bound.has(controllerUser(name).name)),
    [],
  )
})
