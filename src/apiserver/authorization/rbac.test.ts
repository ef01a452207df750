import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1PolicyRule } from '../../machinery/schema/generated/types.ts'
import type { CachedObjects } from '../contracts.ts'
import type { RequestInfo } from '../request.ts'
import { gatheredRules } from './cluster-role-aggregation.ts'
import { rule } from './default-roles/rule-line.ts'
import { forbiddenReason } from './forbidden-reason.ts'
import { Rbac } from './rbac.ts'
import { covers } from './rule.ts'
import { ruleIsCovered } from './rule-cover.ts'

const info = (verb: string, resource: string, more: Partial<RequestInfo> = {}): RequestInfo => ({
  isResourceRequest: true,
  path: '',
  verb,
  group: '',
  version: 'v1',
  namespace: '',
  resource,
  subresource: '',
  name: '',
  rest: '',
  ...more,
})

class Objects implements CachedObjects {
  readonly #objects = new Map<string, AnyObject>()
  readonly #handlers = new Set<Parameters<CachedObjects['onChange']>[0]>()
  set(name: string, namespace: string, fields: object): void {
    const key = `${namespace}/${name}`
    const previous = this.#objects.get(key)
    const object = { metadata: { name, ...(namespace ? { namespace } : {}) }, ...fields } as unknown as AnyObject
    this.#objects.set(key, object)
    for (const handler of this.#handlers) handler({ object, previous, revision: 1 })
  }
  delete(name: string, namespace: string): void {
    const previous = this.#objects.get(`${namespace}/${name}`)
    this.#objects.delete(`${namespace}/${name}`)
    for (const handler of this.#handlers) handler({ object: undefined, previous, revision: 1 })
  }
  get = (namespace: string, name: string) => this.#objects.get(`${namespace}/${name}`)
  list = () => this.#objects.values()
  onChange(handler: Parameters<CachedObjects['onChange']>[0]) {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }
}

describe('a rule', () => {
  const cases: [string, RequestInfo, boolean][] = [
    ['read | core | pods', info('list', 'pods'), true],
    ['read | core | pods', info('delete', 'pods'), false],
    ['read | core | pods', info('get', 'pods', { subresource: 'log' }), false],
    ['read | core | pods/log', info('get', 'pods', { subresource: 'log' }), true],
    ['get | * | */scale', info('get', 'deployments', { group: 'apps', subresource: 'scale' }), true],
    ['get | * | */scale', info('get', 'deployments', { group: 'apps', subresource: 'status' }), false],
    ['* | * | *', info('get', 'anything', { group: 'example.com', subresource: 'status' }), true],
    ['read | apps | deployments', info('list', 'deployments', { group: 'extensions' }), false],
    ['get | core | configmaps | one two', info('get', 'configmaps', { name: 'two' }), true],
    ['get | core | configmaps | one two', info('get', 'configmaps', { name: 'three' }), false],
    ['list | core | configmaps | one', info('list', 'configmaps'), false],
    ['get | /healthz /api/*', info('get', '', { isResourceRequest: false, path: '/api/v1' }), true],
    ['get | /healthz /api/*', info('get', '', { isResourceRequest: false, path: '/healthz/etcd' }), false],
    ['* | *', info('get', '', { isResourceRequest: false, path: '/metrics' }), true],
  ]
  for (const [line, request, expected] of cases)
    it(`"${line}" ${expected ? 'covers' : 'does not cover'} ${request.verb} ${request.resource || request.path} ${request.subresource} ${request.name}`, () => {
      assert.equal(covers(rule(line), request), expected)
    })
})

describe('covering one rule by others', () => {
  it('takes several together', () => {
    const owned = [rule('get list | core | pods'), rule('watch | core | pods'), rule('read | core | secrets')]
    assert.ok(ruleIsCovered(rule('read | core | pods secrets'), owned))
    assert.ok(!ruleIsCovered(rule('read | core | pods configmaps'), owned))
    assert.ok(ruleIsCovered(rule('get | core | pods | one'), owned))
    assert.ok(!ruleIsCovered(rule('get | core | pods'), [rule('get | core | pods | one')]))
  })
})

describe('RBAC', () => {
  const objects = { roles: new Objects(), roleBindings: new Objects(), clusterRoles: new Objects(), clusterRoleBindings: new Objects() }
  const rbac = new Rbac(objects)
  const allowed = (name: string, request: RequestInfo, groups: string[] = []) =>
    rbac.authorize({ user: { name, groups }, info: request }).decision === 'allowed'
  const roleRef = (kind: string, name: string) => ({ kind, name, apiGroup: 'rbac.authorization.k8s.io' })

  it('follows roles and bindings as they come and go', () => {
    objects.clusterRoles.set('view', '', { rules: [rule('read | core | pods')] })
    objects.roleBindings.set('b', 'one', {
      roleRef: roleRef('ClusterRole', 'view'),
      subjects: [
        { kind: 'ServiceAccount', name: 'robot' },
        { kind: 'Group', name: 'crew' },
      ],
    })
    const robot = 'system:serviceaccount:one:robot'
    assert.ok(allowed(robot, info('list', 'pods', { namespace: 'one' })))
    assert.ok(allowed('x', info('list', 'pods', { namespace: 'one' }), ['crew']))
    assert.ok(!allowed(robot, info('list', 'pods', { namespace: 'two' })))
    assert.ok(!allowed(robot, info('list', 'pods')), 'a binding in a namespace gives nothing at the cluster scope')
    objects.clusterRoleBindings.set('all', '', { roleRef: roleRef('ClusterRole', 'view'), subjects: [{ kind: 'User', name: robot }] })
    assert.ok(allowed(robot, info('list', 'pods')))
    objects.clusterRoleBindings.delete('all', '')
    assert.ok(!allowed(robot, info('list', 'pods')))
    objects.roleBindings.set('b', 'one', { roleRef: roleRef('ClusterRole', 'view'), subjects: [] })
    assert.ok(!allowed(robot, info('list', 'pods', { namespace: 'one' })))
  })

  it('says which role is missing', () => {
    objects.clusterRoleBindings.set('broken', '', { roleRef: roleRef('ClusterRole', 'gone'), subjects: [{ kind: 'User', name: 'y' }] })
    const user = { name: 'y', groups: [] }
    const request = info('list', 'pods', { namespace: 'a' })
    const { reason } = rbac.authorize({ user, info: request })
    assert.equal(
      forbiddenReason({ user, info: request }, reason),
      'User "y" cannot list resource "pods" in API group "" in the namespace "a": RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
    )
  })

  it('decides quickly among many bindings', () => {
    for (let n = 0; n < 2000; n++)
      objects.roleBindings.set(`b${n}`, `ns${n % 100}`, { roleRef: roleRef('ClusterRole', 'view'), subjects: [{ kind: 'User', name: `user${n}` }] })
    const started = performance.now()
    for (let n = 0; n < 10_000; n++) assert.ok(allowed(`user${n % 2000}`, info('get', 'pods', { namespace: `ns${n % 100}` })))
    assert.ok(performance.now() - started < 1000, 'ten thousand decisions a second')
  })
})

describe('gathering', () => {
  it('takes the rules of the roles that match, each once', () => {
    const role = (name: string, labels: Record<string, string>, rules: V1PolicyRule[]) => ({ metadata: { name, labels }, rules }) as unknown as AnyObject
    const gathering = { ...role('view', {}, []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { view: 'true' } }] } }
    const all = [
      role('b', { view: 'true' }, [rule('get | core | pods')]),
      role('a', { view: 'true' }, [rule('get | core | pods'), rule('get | core | secrets')]),
      role('c', {}, [rule('* | * | *')]),
      gathering,
    ]
    assert.deepEqual(gatheredRules(gathering, all), [rule('get | core | pods'), rule('get | core | secrets')])
  })
})
