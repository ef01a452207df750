import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestInfo } from './request-info.ts'

/** `METHOD path`, and what it says: verb, group/version, namespace, resource/subresource, name, rest. */
const cases: [string, string][] = [
  ['GET /api/v1/pods', 'list /v1 - pods -'],
  ['GET /api/v1/namespaces/x/pods/p', 'get /v1 x pods p'],
  ['GET /api/v1/namespaces/x/pods?watch=true', 'watch /v1 x pods -'],
  ['GET /api/v1/watch/namespaces/x/pods', 'watch /v1 x pods -'],
  ['GET /api/v1/pods?fieldSelector=metadata.name%3Dp', 'list /v1 - pods p'],
  ['GET /api/v1/pods?fieldSelector=spec.nodeName!%3Dn,metadata.name%3D%3Dp', 'list /v1 - pods p'],
  ['GET /api/v1/pods?fieldSelector=spec.nodeName!%3Dn%5C,metadata.name%3Dp', 'list /v1 - pods -'],
  ['GET /api/v1/pods?fieldSelector=metadata.name!%3Dp', 'list /v1 - pods -'],
  ['GET /api/v1/pods?fieldSelector=metadata.name%3Dp,nonsense', 'list /v1 - pods -'],
  ['POST /apis/apps/v1/namespaces/x/deployments', 'create apps/v1 x deployments -'],
  ['PUT /apis/apps/v1/namespaces/x/deployments/d/scale', 'update apps/v1 x deployments/scale d'],
  ['DELETE /api/v1/namespaces/x/pods', 'deletecollection /v1 x pods -'],
  ['GET /api/v1/namespaces/x', 'get /v1 x namespaces x'],
  ['PUT /api/v1/namespaces/x/finalize', 'update /v1 x namespaces/finalize x'],
  ['GET /api/v1/nodes/n/proxy/logs/a%2Fb', 'get /v1 - nodes/proxy n /logs/a%2Fb'],
  ['PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', 'patch rbac.authorization.k8s.io/v1 - clusterroles system:node'],
]

for (const [request, expected] of cases)
  test(request, () => {
    const [method = '', url = ''] = request.split(' ')
    const [path = '', query = ''] = url.split('?')
    const info = parseRequestInfo(method, path, new URLSearchParams(query))
    const resource = info.subresource ? `${info.resource}/${info.subresource}` : info.resource
    const text = [info.verb, `${info.group}/${info.version}`, info.namespace || '-', resource, info.name || '-', info.rest].join(' ').trim()
    assert.equal(text, expected)
  })

test('what is not below /api or /apis is no resource', () => {
  for (const path of ['/', '/healthz', '/api', '/api/v1', '/apis/apps/v1', '/openapi/v2'])
    assert.equal(parseRequestInfo('GET', path, new URLSearchParams()).isResourceRequest, false)
})
