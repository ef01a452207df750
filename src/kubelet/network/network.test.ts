import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { V1Pod, V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { hostNames } from './hosts-file.ts'
import { parseResolverConfig, resolverConfigOf } from './resolver-config.ts'

const pod = (spec: Partial<V1PodSpec>, name = 'web') => ({ metadata: { name, namespace: 'shop' }, spec: { containers: [], ...spec } }) as unknown as V1Pod

describe('resolv.conf', () => {
  const node = parseResolverConfig('# mine\nnameserver 192.0.2.1\nsearch example.com\noptions timeout:1\n')
  const cluster = { dns: ['10.96.0.10'], domain: 'cluster.local' }
  const of = (spec: Partial<V1PodSpec>) => resolverConfigOf(pod(spec), cluster, node)
  const ownSearches = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com']

  it('of the cluster first', () =>
    assert.deepEqual(of({ dnsPolicy: 'ClusterFirst' }), { servers: ['10.96.0.10'], searches: ownSearches, options: ['ndots:5'] }))
  it('of the node, for pods in its network and for those that ask', () => {
    assert.deepEqual(of({ dnsPolicy: 'ClusterFirst', hostNetwork: true }), node)
    assert.deepEqual(of({ dnsPolicy: 'Default' }), node)
    assert.deepEqual(of({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }).servers, ['10.96.0.10'])
  })
  it('as the pod says', () => {
    const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['a.b'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] }
    assert.deepEqual(of({ dnsPolicy: 'None', dnsConfig }), { servers: ['1.1.1.1'], searches: ['a.b'], options: ['ndots:2', 'edns0'] })
    assert.deepEqual(of({ dnsConfig }), { servers: ['10.96.0.10', '1.1.1.1'], searches: [...ownSearches, 'a.b'], options: ['ndots:2', 'edns0'] })
  })
})

it('host names', () => {
  assert.deepEqual(hostNames(pod({}), 'cluster.local'), { hostname: 'web', domain: '' })
  assert.deepEqual(hostNames(pod({ hostname: 'h', subdomain: 's' }), 'cluster.local'), { hostname: 'h', domain: 's.shop.svc.cluster.local' })
  assert.equal(hostNames(pod({}, `${'a'.repeat(62)}-b`), 'cluster.local').hostname, 'a'.repeat(62))
})
