import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { valueIn } from '../../machinery/metrics/testing/read-metrics.ts'
import { VirtualClock } from '../../machinery/virtual-clock.ts'
import type { ApiRequest } from '../request.ts'
import { startTestServer, type TestServer } from '../testing/test-server.ts'
import { authentication, defaultIssuer } from './authentication.ts'
import { TokenSigner, unverifiedClaims } from './token-signer.ts'

const pem = (kind: 'ec' | 'rsa') =>
  (kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()

describe('a token signer', () => {
  for (const kind of ['ec', 'rsa'] as const)
    it(`signs with ${kind} keys, as others can check`, async () => {
      const signer = new TokenSigner({ privateKey: pem(kind) })
      const token = signer.sign({ sub: 'x' })
      assert.deepEqual(signer.verify(token), { sub: 'x' })
      const { payload } = await jwtVerify(token, createLocalJWKSet(signer.keySet() as unknown as JSONWebKeySet))
      assert.equal(payload.sub, 'x')
    })

  it('refuses what it did not sign', () => {
    const [own, other] = [new TokenSigner({ privateKey: pem('ec') }), new TokenSigner({ privateKey: pem('ec') })]
    assert.equal(own.verify(other.sign({ sub: 'x' })), undefined)
    const [head, , signature] = own.sign({ sub: 'x' }).split('.')
    assert.equal(own.verify(`${head}.${Buffer.from('{"sub":"root"}').toString('base64url')}.${signature}`), undefined)
    assert.equal(own.verify(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"root"}').toString('base64url')}.`), undefined)
    for (const text of ['', 'x', 'a.b.c', '..', 'a.b.c.d']) assert.equal(own.verify(text), undefined)
  })
})

describe('bootstrap tokens', () => {
  const clock = new VirtualClock()
  let test: TestServer
  before(async () => {
    test = await startTestServer({ clock, parts: [authentication({ serviceAccountKey: { privateKey: pem('ec') } })] })
    await test.call('POST', '/api/v1/namespaces', { metadata: { name: 'kube-system' } })
  })
  after(() => test.stop())

  const create = (id: string, more: Record<string, string> = {}, at: { name?: string; type?: string } = {}) =>
    test.call('POST', '/api/v1/namespaces/kube-system/secrets', {
      metadata: { name: at.name ?? `bootstrap-token-${id}` },
      type: at.type ?? 'bootstrap.kubernetes.io/token',
      stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more },
    })
  const review = async (id: string, secret = '0123456789abcdef', audiences?: string[]) => {
    const { object } = await test.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: `${id}.${secret}`, audiences } })
    const { authenticated, user } = object.status as unknown as { authenticated?: boolean; user?: { username: string; groups: string[] } }
    return authenticated ? user : undefined
  }

  it('make their bearer a user of their groups', async () => {
    await create('aaaaaa', { 'auth-extra-groups': 'system:bootstrappers:worker,system:bootstrappers:ingress' })
    assert.deepEqual(await review('aaaaaa'), {
      username: 'system:bootstrap:aaaaaa',
      groups: ['system:bootstrappers', 'system:bootstrappers:ingress', 'system:bootstrappers:worker', 'system:authenticated'],
    })
    assert.equal(await review('aaaaaa', '0123456789abcdef', ['vault']), undefined)
  })

  it('count as long as they are there, and by their whole secret', async () => {
    await create('bbbbbb', { expiration: new Date(clock.now() + 60_000).toISOString() })
    assert.ok(await review('bbbbbb'))
    for (const wrong of ['0123456789abcdee', '0123456789abcde', '']) assert.equal(await review('bbbbbb', wrong), undefined)
    await clock.advance(59_000)
    assert.ok(await review('bbbbbb'))
    await clock.advance(1000)
    assert.equal(await review('bbbbbb'), undefined)
    assert.ok(await review('aaaaaa'))
    await test.call('DELETE', '/api/v1/namespaces/kube-system/secrets/bootstrap-token-aaaaaa')
    assert.equal(await review('aaaaaa'), undefined)
  })

  it('do not count where their Secret does not say so', async () => {
    await create('cccccc', { 'usage-bootstrap-authentication': 'false' })
    await create('dddddd', { 'auth-extra-groups': 'system:masters' })
    await create('eeeeee', { expiration: 'soon' })
    await create('ffffff', {}, { name: 'bootstrap-token-gggggg' })
    await create('hhhhhh', {}, { type: 'Opaque' })
    for (const id of ['cccccc', 'dddddd', 'eeeeee', 'ffffff', 'gggggg', 'hhhhhh']) assert.equal(await review(id), undefined, id)
  })
})

describe('tokens of service accounts', () => {
  const clock = new VirtualClock()
  let test: TestServer
  before(async () => {
    test = await startTestServer({ clock, parts: [authentication({ serviceAccountKey: { privateKey: pem('ec') } })] })
    await test.call('POST', '/api/v1/namespaces', { metadata: { name: 'app' } })
    await test.call('POST', '/api/v1/namespaces/app/serviceaccounts', { metadata: { name: 'robot' } })
  })
  after(() => test.stop())

  const token = async (spec: object) => {
    const { status, object } = await test.call('POST', '/api/v1/namespaces/app/serviceaccounts/robot/token', { spec })
    return {
      status,
      message: object.message,
      token: (object.status as unknown as { token: string }).token,
      answered: object.status as unknown as { expirationTimestamp: string },
    }
  }
  const review = async (given: string, audiences?: string[]) => {
    const { object } = await test.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: given, audiences } })
    return object.status as unknown as {
      authenticated?: boolean
      error?: string
      user: { username: string; groups: string[]; extra: Record<string, string[]> }
      audiences: string[]
    }
  }

  const good = (kind: 'valid' | 'legacy') => valueIn(test.server.access.metrics.text(), `serviceaccount_${kind}_tokens_total`)

  it('say whose they are', async () => {
    const counted = good('valid')
    const made = await token({ expirationSeconds: 3600 })
    const { user, authenticated } = await review(made.token)
    assert.ok(authenticated)
    assert.equal(user.username, 'system:serviceaccount:app:robot')
    assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:app', 'system:authenticated'])
    assert.equal(unverifiedClaims(made.token)?.iss, defaultIssuer)
    assert.equal(good('valid'), counted + 1)
  })

  it('are for their audience alone', async () => {
    const made = await token({ audiences: ['vault'] })
    assert.deepEqual((await review(made.token, ['vault', 'other'])).audiences, ['vault'])
    const counted = good('valid')
    const refused = await review(made.token)
    assert.equal(good('valid'), counted)
    assert.equal(refused.authenticated, undefined)
    assert.match(refused.error ?? '', /token audiences \["vault"\] is invalid for the target audiences/)
  })

  it('end with their time', async () => {
    const made = await token({ expirationSeconds: 600 })
    await clock.advance(599_000)
    assert.ok((await review(made.token)).authenticated)
    await clock.advance(3000)
    assert.equal((await review(made.token)).error, 'service account token has expired')
  })

  it('end with the pod that they are bound to', async () => {
    const pod = { metadata: { name: 'p' }, spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] } }
    const { object } = await test.call('POST', '/api/v1/namespaces/app/pods', pod)
    const reference = { kind: 'Pod', apiVersion: 'v1', name: 'p' }
    assert.equal((await token({ boundObjectRef: { ...reference, uid: 'other' } })).status, 409)
    const made = await token({ boundObjectRef: { ...reference, uid: object.metadata.uid }, expirationSeconds: 3607 })
    const { user } = await review(made.token)
    assert.deepEqual(user.extra['authentication.kubernetes.io/pod-name'], ['p'])
    const claims = unverifiedClaims(made.token) as { exp: number; iat: number }
    assert.equal(claims.exp - claims.iat, 365 * 86_400, 'clients that do not read their file anew are borne with')
    assert.equal(Date.parse(made.answered.expirationTimestamp), (claims.iat + 3607) * 1000)
    await test.call('DELETE', '/api/v1/namespaces/app/pods/p?gracePeriodSeconds=0')
    assert.equal((await review(made.token)).error, 'pod p has been deleted')
  })

  it('may be kept in a Secret, and end with it', async () => {
    const secret = { metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'robot' } }, type: 'kubernetes.io/service-account-token' }
    const { object } = await test.call('POST', '/api/v1/namespaces/app/secrets', secret)
    const data = object.data as unknown as Record<string, string>
    assert.equal(Buffer.from(data.namespace ?? '', 'base64').toString(), 'app')
    const kept = Buffer.from(data.token ?? '', 'base64').toString()
    assert.equal(good('legacy'), 0)
    assert.equal((await review(kept)).user.username, 'system:serviceaccount:app:robot')
    assert.equal(good('legacy'), 1)
    await test.call('DELETE', '/api/v1/namespaces/app/secrets/kept')
    assert.equal((await review(kept)).error, 'the secret of the token is gone')
  })

  it('refuse what cannot be', async () => {
    assert.match(
      (await token({ expirationSeconds: 10 })).message ?? '',
      /spec.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes/,
    )
    assert.equal(
      (await test.call('POST', '/api/v1/namespaces/app/serviceaccounts/none/token', { spec: {} })).object.message,
      'serviceaccounts "none" not found',
    )
  })
})

describe('an authenticator', () => {
  it('knows certificates, static tokens, nobody, and a wrong token', async () => {
    const test = await startTestServer()
    const part = authentication({
      serviceAccountKey: { privateKey: pem('ec') },
      staticTokens: [{ token: 'secret', user: { name: 'boot', groups: ['crew'] } }],
    })(test.server.access)
    const authenticate = async (request: Partial<ApiRequest>) => await part.authenticators?.[0]?.authenticate({ headers: {}, ...request } as ApiRequest)
    const certificate = { commonName: 'admin', organizations: ['system:masters'], fingerprint: 'AA:BB' }
    assert.deepEqual((await authenticate({ certificate }))?.groups, ['system:masters', 'system:authenticated'])
    assert.deepEqual(await authenticate({ headers: { authorization: 'Bearer secret' } }), { name: 'boot', groups: ['crew', 'system:authenticated'] })
    assert.deepEqual(await authenticate({}), { name: 'system:anonymous', groups: ['system:unauthenticated'] })
    await assert.rejects(authenticate({ headers: { authorization: 'Bearer wrong' } }), /Unauthorized/)
    await assert.rejects(authenticate({ headers: { 'impersonate-group': 'x' } }), /requested impersonation without impersonating a user/)
    const as = await authenticate({ certificate, headers: { 'impersonate-user': 'system:serviceaccount:a:b', 'impersonate-extra-team%2fx': 'one' } })
    assert.deepEqual(as, {
      name: 'system:serviceaccount:a:b',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
      extra: { 'team/x': ['one'] },
    })
    await test.stop()
  })
})
