import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { V1EndpointSlice, V1Ingress, V1IngressSpec, V1Service } from '../machinery/schema/generated/types.ts'
import { acceptIngresses } from './accept-ingresses.ts'
import { slotCount } from './backend-slots.ts'
import { buildModel, type Objects } from './build-model.ts'
import { isOurs, nginxIngressClass } from './ingress-class.ts'
import { nginxConfig } from './nginx-config.ts'

const meta = (name: string, age = 0) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: `2026-01-01T00:00:0${9 - age}Z`,
})
const backend = (name = 'web', port: { number?: number; name?: string } = { number: 80 }) => ({ service: { name, port } })
const path = (text: string, pathType = 'Prefix', to = backend()) => ({ path: text, pathType, backend: to })
const ingress = (name: string, spec: V1IngressSpec, annotations: Record<string, string> = {}, age = 0): V1Ingress => ({
  metadata: {
    ...meta(name, age),
    annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value])),
  },
  spec,
})
const web: V1Service = {
  metadata: meta('web'),
  spec: {
    clusterIP: '10.96.0.1',
    ports: [
      { name: 'http', port: 80 },
      { name: 'admin', port: 8080 },
    ],
  },
}
const slice: V1EndpointSlice = {
  metadata: { ...meta('web-1'), labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [
    { name: 'http', port: 5000 },
    { name: 'admin', port: 5001 },
  ],
  endpoints: [{ addresses: ['10.244.0.5'] }, { addresses: ['10.244.0.6'] }],
}
const objects = (...ingresses: V1Ingress[]): Objects => ({
  ingresses,
  service: (key) => (key === 'shop/web' ? web : undefined),
  slices: (key) => (key === 'shop/web' ? [slice] : []),
  certificate: (key) => (key === 'shop/cert' ? { path: '/certs/cert.pem' } : { problem: `no ${key}` }),
  users: ({ secret }) => (secret === 'shop/users' ? { path: '/users/1' } : { problem: `no ${secret}` }),
})
const build = (...ingresses: V1Ingress[]) => buildModel(objects(...ingresses))
function config(...ingresses: V1Ingress[]): string {
  const { model } = build(...ingresses)
  return nginxConfig(model, {
    http: [{ address: '127.0.0.1', port: 80 }],
    https: [{ address: '127.0.0.1', port: 443 }],
    publicHttpsPort: 443,
    stateDirectory: '/state',
    fallbackCertificate: '/state/fallback.pem',
    workers: 1,
    user: undefined,
    status: { address: '127.0.0.1', port: 10246 },
    unavailable: { address: '127.0.0.1', port: 10247 },
    generation: 'g',
    resolver: '10.96.0.10',
    servers: (name) => model.upstreams.find((upstream) => upstream.name === name)?.endpoints.map(({ address, port }) => `${address}:${port}`) ?? [],
  })
}

test('a host and path lead to the endpoints of a Service port, by number or name', () => {
  const { model, problems } = build(
    ingress('one', { rules: [{ host: 'a.example', http: { paths: [path('/'), path('/admin', 'Prefix', backend('web', { name: 'admin' }))] } }] }),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(model.upstreams, [
    {
      name: 'shop_web_80',
      endpoints: [
        { address: '10.244.0.5', port: 5000 },
        { address: '10.244.0.6', port: 5000 },
      ],
    },
    {
      name: 'shop_web_8080',
      endpoints: [
        { address: '10.244.0.5', port: 5001 },
        { address: '10.244.0.6', port: 5001 },
      ],
    },
  ])
  assert.deepEqual(
    model.sites[0]?.locations.map((location) => [location.path, location.upstream]),
    [
      ['/admin', 'shop_web_8080'],
      ['/', 'shop_web_80'],
    ],
  )
})

test('the oldest Ingress holds a path; the other is told', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/')] } }]
  const { model, problems } = build(ingress('young', { rules }, {}, 0), ingress('old', { rules }, {}, 5))
  assert.equal(model.sites[0]?.locations[0]?.ingress, 'shop/old')
  assert.deepEqual(
    problems.map(({ ingress: { metadata }, message }) => [metadata.name, message]),
    [['young', 'host "a.example" and path "/" is already defined in ingress shop/old']],
  )
})

test('what is wrong is said, and stops nothing else', () => {
  const good = ingress('good', { rules: [{ host: 'good.example', http: { paths: [path('/')] } }] })
  const lost = ingress('lost', { rules: [{ host: 'lost.example', http: { paths: [path('/', 'Prefix', backend('nowhere')), path('/ok')] } }] })
  const port = ingress('port', { rules: [{ host: 'port.example', http: { paths: [path('/', 'Prefix', backend('web', { number: 99 }))] } }] })
  const pattern = ingress('pattern', { rules: [{ host: 'p.example', http: { paths: [path('/(', 'ImplementationSpecific')] } }] }, { 'use-regex': 'true' })
  const size = ingress('size', { rules: [{ host: 's.example', http: { paths: [path('/')] } }] }, { 'proxy-body-size': '1m; return 200' })
  const snippet = ingress('snippet', { rules: [{ host: 't.example', http: { paths: [path('/')] } }] }, { 'configuration-snippet': 'return 200;' })
  const { model, problems } = build(good, lost, port, pattern, size, snippet)
  const said = Object.fromEntries(problems.map((problem) => [problem.ingress.metadata.name, problem.message]))
  assert.equal(said.lost, 'service "shop/nowhere" does not exist')
  assert.equal(said.port, 'service "shop/web" has no port 99')
  assert.match(said.pattern ?? '', /not a regular expression/)
  assert.match(said.size ?? '', /proxy-body-size: not a size/)
  assert.match(said.snippet ?? '', /raw configuration is not allowed/)
  assert.deepEqual(model.sites.map(({ host }) => host).sort(), ['good.example', 'lost.example', 'port.example'])
  const location = model.sites.find(({ host }) => host === 'lost.example')?.locations
  assert.deepEqual(
    location?.map(({ upstream }) => upstream),
    ['shop_web_80', undefined],
  )
})

test('a Prefix matches by elements, the bare path too', () => {
  const text = config(
    ingress('one', { rules: [{ host: 'a.example', http: { paths: [path('/foo'), path('/bar/', 'Exact'), path('/baz', 'ImplementationSpecific')] } }] }),
  )
  for (const selector of ['location = "/foo" {', 'location "/foo/" {', 'location = "/bar/" {', 'location "/baz" {'])
    assert.ok(text.includes(selector), selector)
  assert.ok(text.includes('return 404 "default backend - 404";'))
})

test('with patterns in a site, the longest path is tried first, and groups reach the rewrite', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/api(/|$)(.*)', 'ImplementationSpecific'), path('/a'), path('/api/longer/than/that')] } }]
  const text = config(ingress('one', { rules }, { 'rewrite-target': '/$2' }))
  const order = [...text.matchAll(/location ~\*? ("[^"]*")/g)].map((found) => found[1])
  assert.deepEqual(order, ['"^/api/longer/than/that(/|$)"', '"^/api(/|$)(.*)"', '"^/a(/|$)"'])
  assert.ok(text.includes('rewrite "(?i)^/api(/|$)(.*)" "/$2" break;'))
})

test('TLS: the certificate of the Secret, a redirect, and the fallback where there is none', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/')] } }]
  const text = config(ingress('one', { rules, tls: [{ hosts: ['a.example'], secretName: 'cert' }] }))
  assert.ok(text.includes('ssl_certificate "/certs/cert.pem";'))
  assert.ok(text.includes('return 308 https://$host$request_uri;'))
  assert.ok(!config(ingress('one', { rules, tls: [{ hosts: ['a.example'], secretName: 'cert' }] }, { 'ssl-redirect': 'false' })).includes('return 308'))
  assert.ok(config(ingress('one', { rules }, { 'force-ssl-redirect': 'true' })).includes('return 308'))
  const { model, problems } = build(ingress('one', { rules, tls: [{ hosts: ['a.example'], secretName: 'gone' }] }))
  assert.deepEqual([model.sites[0]?.tls, model.sites[0]?.certificate, problems[0]?.message], [true, undefined, 'no shop/gone'])
})

test('annotations become directives; a wildcard host stands for one label', () => {
  const text = config(
    ingress(
      'one',
      { rules: [{ host: '*.wild.example', http: { paths: [path('/')] } }], defaultBackend: backend() },
      {
        'proxy-body-size': '8m',
        'proxy-read-timeout': '120',
        'backend-protocol': 'https',
        'app-root': '/app',
        'whitelist-source-range': '10.0.0.0/8, 192.0.2.1',
      },
    ),
  )
  for (const line of [
    'client_max_body_size 8m;',
    'proxy_read_timeout 120s;',
    'proxy_pass https://shop_web_80$backend_kind;',
    '$http_host/app;',
    'allow 10.0.0.0/8;',
    'deny all;',
  ]) {
    assert.ok(text.includes(line), line)
  }
  assert.ok(text.includes('server_name "~^[^.]+\\\\.wild\\\\.example$";') || text.includes('server_name "~^[^.]+\\.wild\\.example$";'))
})

test('a protection that is not there is not left out in silence, and what has no effect is told', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/')] } }]
  for (const [name, value] of [
    ['auth-url', 'https://sso.example/check'],
    ['auth-tls-secret', 'shop/ca'],
    ['auth-type', 'digest'],
    ['canary', 'true'],
  ] as const) {
    const { model, problems } = build(ingress('one', { rules }, { [name]: value }))
    assert.deepEqual([model.sites, problems.length], [[], 1], name)
    assert.match(problems[0]?.message ?? '', new RegExp(`annotation nginx.ingress.kubernetes.io/${name}: .*supported`))
  }
  const { model, problems } = build(ingress('one', { rules }, { 'proxy-body-sise': '8m', 'cors-max-age': '5', canary: 'false' }))
  assert.equal(model.sites.length, 1)
  assert.deepEqual(
    problems.map(({ reason, message }) => [reason, /io\/(\S+) has no effect/.exec(message)?.[1]]),
    [
      ['Ignored', 'proxy-body-sise'],
      ['Ignored', 'cors-max-age'],
    ],
  )
})

test('users come from a Secret of the same namespace; without it nobody gets in', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/')] } }]
  const withUsers = (secret: string) => ingress('one', { rules }, { 'auth-type': 'basic', 'auth-secret': secret, 'auth-realm': 'the shop' })
  assert.match(config(withUsers('users')), /auth_basic "the shop";\s+auth_basic_user_file "\/users\/1";/)
  assert.match(config(withUsers('shop/users')), /auth_basic_user_file/)
  assert.match(config(withUsers('nobody')), /# shop\/one\s+set \$told \w+;\s+return 503;/)
  assert.deepEqual(
    [...build(withUsers('nobody')).problems, ...build(withUsers('other/users')).problems].map(({ message }) => message),
    ['no shop/nobody', 'annotation nginx.ingress.kubernetes.io/auth-secret: a Secret of another namespace is not allowed: "other/users"'],
  )
})

test('limits are counted for each Ingress, and not for who is spared', () => {
  const rules = [{ host: 'a.example', http: { paths: [path('/'), path('/more')] } }]
  const text = config(ingress('one-a', { rules }, { 'limit-rps': '5', 'limit-connections': '2', 'limit-allowlist': '10.0.0.0/8' }))
  assert.equal(text.match(/limit_req_zone \$limit_shop_sone_da zone=limit_shop_sone_da_rps:5m rate=5r\/s;/g)?.length, 1)
  assert.equal(text.match(/limit_req zone=limit_shop_sone_da_rps burst=25 nodelay;/g)?.length, 3)
  assert.match(text, /geo \$remote_addr \$limit_shop_sone_da_spared \{\s+default 0;\s+10\.0\.0\.0\/8 1;/)
  assert.match(build(ingress('one', { rules }, { 'limit-rps': 'many' })).problems[0]?.message ?? '', /limit-rps: not a number: "many"/)
})

test('a Service of type ExternalName leads to its name, which is looked up anew', () => {
  const elsewhere: V1Service = { metadata: meta('elsewhere'), spec: { type: 'ExternalName', externalName: 'web.other.svc.cluster.local' } }
  const given: Objects = {
    ...objects(ingress('one', { rules: [{ host: 'a.example', http: { paths: [path('/', 'Prefix', backend('elsewhere', { number: 8080 }))] } }] })),
    service: () => elsewhere,
  }
  const { model, problems } = buildModel(given)
  assert.deepEqual([problems, model.upstreams], [[], []])
  assert.deepEqual(model.sites[0]?.locations[0]?.external, { host: 'web.other.svc.cluster.local', port: 8080 })
})

test('a default backend takes what no rule does, for its hosts or for all', () => {
  const own = build(ingress('one', { defaultBackend: backend(), rules: [{ host: 'a.example', http: { paths: [path('/x')] } }] }))
  assert.deepEqual(
    own.model.sites.map(({ host, locations }) => [host, locations.map((location) => location.path)]),
    [['a.example', ['/x', '/']]],
  )
  const all = build(ingress('one', { defaultBackend: backend() }))
  assert.deepEqual(
    all.model.sites.map(({ host, locations }) => [host, locations.map((location) => location.path)]),
    [['', ['/']]],
  )
})

test('which Ingresses are ours', () => {
  const classes = [{ ...nginxIngressClass(), metadata: { ...nginxIngressClass().metadata, ...meta('nginx') } }]
  assert.ok(isOurs(ingress('a', { ingressClassName: 'nginx' }), classes))
  assert.ok(isOurs(ingress('a', {}), classes))
  assert.ok(!isOurs(ingress('a', { ingressClassName: 'other' }), classes))
  assert.ok(!isOurs(ingress('a', {}), []))
})

test('the one that nginx does not take is found by halves', async () => {
  const many = Array.from({ length: 100 }, (_, index) => ingress(`i${index}`, {}))
  let trials = 0
  const { accepted, rejected } = await acceptIngresses([], many, async (some) => {
    trials++
    return some.some(({ metadata }) => metadata.name === 'i42' || metadata.name === 'i77') ? 'bad' : undefined
  })
  assert.deepEqual(
    rejected.map((one) => one.ingress.metadata.name),
    ['i42', 'i77'],
  )
  assert.equal(accepted.length, 98)
  assert.ok(trials < 40, `${trials}`)
})

test('slots grow with the endpoints, and rarely', () => {
  assert.deepEqual([0, 1, 3, 60, 61, 500].map(slotCount), [60, 60, 60, 60, 120, 540])
})
