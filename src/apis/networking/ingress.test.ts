import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems, row } from '../testing/draft.ts'
import { Ingress } from './ingress.ts'
import { IngressClass } from './ingress-class.ts'

const metadata = { name: 'web', namespace: 'shop' }
const backend = { service: { name: 'web', port: { number: 80 } } }
const ingress = (path: object, host?: string) => ({
  metadata,
  spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend, ...path }] } }] },
})

const cases: [object, string[]][] = [
  [ingress({}), []],
  [ingress({}, '*.example.com'), []],
  [{ metadata, spec: {} }, ['spec: Invalid value: {}: either `defaultBackend` or `rules` must be specified']],
  [ingress({ path: 'x' }), ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path']],
  [ingress({ path: '/a//b' }), ['spec.rules[0].http.paths[0].path: Invalid value: "/a//b": must not contain \'//\'']],
  [ingress({ pathType: undefined }), ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified']],
  [ingress({ backend: {} }), ['spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required']],
  [ingress({ backend: { service: { name: 'web' } } }), ['spec.rules[0].http.paths[0].backend: Required value: port name or number is required']],
  [ingress({}, '10.0.0.1'), ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address']],
]
test('validation', () => {
  for (const [object, expected] of cases) assert.deepEqual(problems(Ingress, object), expected, JSON.stringify(object))
})

test('columns', () => {
  const object = {
    metadata,
    spec: { ingressClassName: 'nginx', tls: [{}], rules: ['a', 'b', 'c', 'd'].map((host) => ({ host })) },
    status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } },
  }
  assert.deepEqual(row(Ingress, object), { Name: 'web', Class: 'nginx', Hosts: 'a,b,c + 1 more...', Address: '10.0.0.1', Ports: '80, 443', Age: '<unknown>' })
  assert.deepEqual(row(IngressClass, { metadata, spec: { controller: 'k8s.io/nginx' } }).Parameters, '<none>')
})
