/** A machine becomes a node by address and token, against a whole API server over TLS with real certificates. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Client } from '../../src/client/client.ts'
import type { Component } from '../../src/client/component.ts'
import { startControllers } from '../../src/client/controller-runner.ts'
import { createHttpTransport } from '../../src/client/http-transport.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { ConfigMap, Node } from '../../src/client/resources.ts'
import { processStartTime } from '../../src/cluster/data-directory.ts'
import { pinOf } from '../../src/cluster/join/authority-pin.ts'
import { readCredentials, readServingPair, writeCredentials } from '../../src/cluster/join/credential-files.ts'
import { type JoinOptions, join } from '../../src/cluster/join/join.ts'
import { ensureJoinObjects } from '../../src/cluster/join/join-objects.ts'
import { keepCredentials, renewalTime } from '../../src/cluster/join/keep-credentials.ts'
import { requestServingCertificate } from '../../src/cluster/join/request-certificate.ts'
import { createToken, deleteToken } from '../../src/cluster/join/tokens.ts'
import { createAuthority, issueCertificate, type KeyPair } from '../../src/cluster/pki/certificate-authority.ts'
import { requestSigner } from '../../src/cluster/pki/request-signer.ts'
import { UserError } from '../../src/cluster/user-error.ts'
import { bootstrapUser, controllerUser } from '../../src/cluster/users.ts'
import { bootstrapSigner } from '../../src/controllers/bootstrap-signer.ts'
import { certificateApprovingController } from '../../src/controllers/certificate-approving.ts'
import { certificateSigningController } from '../../src/controllers/certificate-signing.ts'
import { tokenCleaner } from '../../src/controllers/token-cleaner.ts'
import { signDetached } from '../../src/machinery/detached-jws.ts'
import { realClock as clock } from '../../src/machinery/real-clock.ts'
import { VirtualClock } from '../../src/machinery/virtual-clock.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { eventually } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

describe('joining by token', () => {
  let api: TestApiServer
  let controllers: Component[]
  let admin: Kubectl
  let client: Client
  let dir: string
  before(async () => {
    api = await startApiServer()
    dir = await mkdtemp(path(tmpdir(), 'skiff-join-'))
    const clientOf = (user: typeof bootstrapUser) => createClient(createInProcessTransport(api.server, { user, userAgent: 'test' }), { userAgent: 'test' })
    client = clientOf(bootstrapUser)
    await ensureJoinObjects(client, { server: api.url, authority: api.pki.ca.certificate })
    const informers = createInformerFactory({ client, clock, log })
    const signer = requestSigner(api.pki.ca, clock)
    controllers = [certificateApprovingController(signer), certificateSigningController(signer), bootstrapSigner, tokenCleaner].map((one) =>
      startControllers([one], { client: clientOf(controllerUser(one.name)), informers, clock, log, span() {} }),
    )
    admin = await kubectl(api.kubeconfig)
  })
  after(async () => {
    await Promise.all((controllers ?? []).map((one) => one.stop()))
    await api?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  let made = 0
  const directory = () => path(dir, `node-${made++}`)
  const joining = (nodeName: string, more: Partial<JoinOptions> = {}) =>
    join({ server: api.url, nodeName, directory: directory(), clock, log, patienceMs: 500, ...more })
  const pin = () => pinOf(api.pki.ca.certificate)
  const good = () => createToken(client, { expiration: clock.now() + 3_600_000 })
  const fails = async (joined: Promise<unknown>, message: RegExp) => {
    await assert.rejects(joined, (error: unknown) => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, message)
      return true
    })
  }

  it('with the right token, known by its certificate from then on', async () => {
    const options = { directory: directory(), token: await good(), caHash: pin() }
    const { ca, client: pair } = await joining('first', options)
    assert.equal(ca, api.pki.ca.certificate)
    assert.equal(new X509Certificate(pair.certificate).subject, 'O=system:nodes\nCN=system:node:first')
    for (const file of ['client.key', 'client.crt', 'ca.crt']) assert.equal(statSync(path(options.directory, file)).mode & 0o777, 0o600)
    assert.match(await admin('get csr'), /csr-\w+ .*kubernetes.io\/kube-apiserver-client-kubelet +system:bootstrap:\w{6} .*Approved,Issued/)
    assert.deepEqual(await joining('first', { directory: options.directory }), { ca, client: pair })
    // Another node's credentials are nobody else's.
    await fails(joining('second', { directory: options.directory }), /no credentials of a node 'second' that still count: join with --token/)
    // The token alone proves the cluster, too.
    assert.equal((await joining('unpinned', { token: await good(), patienceMs: 5000 })).ca, ca)
  })

  it('not with a token that is wrong, deleted, over, or for something else', async () => {
    const [id = ''] = (await good()).split('.')
    await eventually('the token has signed', async () => (await admin('get cm cluster-info -n kube-public -o yaml')).includes(`jws-kubeconfig-${id}`), 10)
    const refused = /the cluster refused the token \w{6}: it is wrong, has expired or was deleted; 'skiff token create' on the server makes another/
    const unknown = /the cluster knows no token \w{6}: it is wrong, has expired or was deleted/
    await fails(joining('bad', { token: `${id}.0000000000000000` }), refused)
    await fails(joining('bad', { token: `${id}.0000000000000000`, caHash: pin() }), refused)
    await fails(joining('bad', { token: 'nobody.0123456789abcdef' }), unknown)
    await fails(joining('bad', { token: 'nobody.0123456789abcdef', caHash: pin() }), refused)
    await fails(joining('bad', { token: 'nonsense' }), /has not the form ID.SECRET/)
    const deleted = await good()
    await deleteToken(client, deleted)
    await fails(joining('bad', { token: deleted, caHash: pin() }), refused)
    await fails(joining('bad', { token: deleted }), unknown)
    const over = await createToken(client, { expiration: clock.now() - 1000 })
    await fails(joining('bad', { token: over, caHash: pin() }), refused)
    await eventually('the token that is over is gone', async () => !(await admin('get secrets -n kube-system')).includes(over.slice(0, 6)), 10)
    const signing = await good()
    await admin(`patch secret -n kube-system bootstrap-token-${signing.slice(0, 6)} -p {"stringData":{"usage-bootstrap-authentication":"false"}}`)
    await fails(joining('bad', { token: signing, caHash: pin() }), refused)
    const grouped = await good()
    await admin(`patch secret -n kube-system bootstrap-token-${grouped.slice(0, 6)} -p {"stringData":{"auth-extra-groups":"system:masters"}}`)
    await fails(joining('bad', { token: grouped, caHash: pin() }), refused)
    const powerless = await good()
    await admin(`patch secret -n kube-system bootstrap-token-${powerless.slice(0, 6)} -p {"stringData":{"auth-extra-groups":""}}`)
    await fails(joining('bad', { token: powerless, caHash: pin() }), /does not let this node join: .*system:bootstrap:\w{6}/)
  })

  it('not a cluster that is another than the pin says, or that is not there', async () => {
    const other = (await createAuthority('kubernetes', clock.now())).certificate
    const another = /the authority of the cluster at https:.* is not the one that --ca-hash names/
    await fails(joining('bad', { token: await good(), caHash: pinOf(other) }), another)
    await fails(joining('bad', { token: await good(), caHash: 'sha256:12' }), /--ca-hash has the form sha256:HEX/)
    await fails(
      joining('bad', { token: await good(), server: 'https://127.0.0.1:1' }),
      /the API server at https:\/\/127.0.0.1:1 cannot be reached \(ECONNREFUSED\)/,
    )
    // Kept from a life in another cluster: of no use without a token, replaced with one.
    const options = { directory: directory(), token: await good(), caHash: pin() }
    const { client: pair } = await joining('moved', options)
    const foreign = await createAuthority('kubernetes', clock.now())
    const request = { commonName: 'system:node:moved', organizations: ['system:nodes'], usages: ['client' as const] }
    await writeCredentials(options.directory, { ca: foreign.certificate, client: await issueCertificate(foreign, request, clock.now()) })
    const kept = { directory: options.directory }
    await fails(joining('moved', { ...kept, caHash: pin() }), another)
    await fails(joining('moved', kept), /certificate of https:.* is not of the cluster's authority/)
    assert.notDeepEqual((await joining('moved', { ...kept, token: options.token })).client, pair)
  })

  it('not one that somebody pretends to be: the token is never shown to him', async () => {
    const [token, foreign] = [await good(), await createAuthority('kubernetes', clock.now())]
    const [id = ''] = token.split('.')
    const { certificate, key } = await issueCertificate(foreign, { commonName: 'x', usages: ['server'], addresses: ['127.0.0.1'] }, clock.now())
    const data = Buffer.from(foreign.certificate).toString('base64')
    const kubeconfig = JSON.stringify({ clusters: [{ name: '', cluster: { server: api.url, 'certificate-authority-data': data } }] })
    let signature: string | undefined
    const seen: (string | undefined)[] = []
    const pretender = createServer({ cert: certificate, key }, ({ url, headers }, response) => {
      seen.push(url, headers.authorization)
      const signed = signature === undefined ? {} : { [`jws-kubeconfig-${id}`]: signature }
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cluster-info' }, data: { kubeconfig, ...signed } }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(object))
    })
    await new Promise<void>((resolve) => pretender.listen(0, '127.0.0.1', resolve))
    const server = `https://127.0.0.1:${(pretender.address() as AddressInfo).port}`
    await fails(joining('bad', { server, token }), /the cluster knows no token/)
    await fails(joining('bad', { server, token, caHash: pin() }), /is not the one that --ca-hash names/)
    const signatureOf = async () => (await client.get(ConfigMap, { name: 'cluster-info', namespace: 'kube-public' })).data?.[`jws-kubeconfig-${id}`]
    const real = await eventually('the token has signed', signatureOf, 10)
    for (signature of [signDetached(kubeconfig, id, 'fedcba9876543210'), real, 'nonsense', `${signDetached(kubeconfig, id, '').split('..')[0]}..`])
      await fails(joining('bad', { server, token }), /the cluster refused the token/)
    assert.deepEqual([...new Set(seen)], ['/api/v1/namespaces/kube-public/configmaps/cluster-info', undefined])
    pretender.closeAllConnections()
    await new Promise((resolve) => pretender.close(resolve))
  })

  it('not under the name of a node that is there and ready', async () => {
    const node = await client.create(Node, { metadata: { name: 'taken' }, spec: {} })
    const ready = { type: 'Ready', status: 'True' }
    await client.updateStatus(Node, { ...node, status: { conditions: [ready] } })
    await fails(joining('taken', { token: await good(), caHash: pin() }), /a node 'taken' is in the cluster and ready: choose another name, or delete that one/)
    await client.updateStatus(Node, { ...node, metadata: { name: 'taken' } as never, status: { conditions: [{ ...ready, status: 'Unknown' }] } })
    await joining('taken', { token: await good(), caHash: pin() })
  })

  /** A token whose bearer may ask for a certificate, which nobody approves by himself. */
  const waiting = async () => {
    const token = await good()
    await admin(`patch secret -n kube-system bootstrap-token-${token.slice(0, 6)} -p {"stringData":{"auth-extra-groups":"system:bootstrappers:waiting"}}`)
    for (const role of ['system:node-bootstrapper', 'kubeadm:get-nodes']) {
      const name = `waiting-${role.split(':').at(-1)}`
      await admin.run(['create', 'clusterrolebinding', name, `--clusterrole=${role}`, '--group=system:bootstrappers:waiting'])
    }
    return token
  }
  const pendingOf = (token: string) =>
    eventually(
      'its request waits',
      async () => new RegExp(`^(csr-\\w+) .*system:bootstrap:${token.slice(0, 6)} .*Pending`, 'm').exec(await admin('get csr'))?.[1],
      10,
    )

  it('not with a token that is deleted while the request waits for a person', async () => {
    const token = await waiting()
    const joined = fails(joining('late', { token, caHash: pin() }), /the cluster refused the token \w{6}: it is wrong, has expired or was deleted/)
    await pendingOf(token)
    await deleteToken(client, token)
    await joined
  })

  it('with the request that waits, though the server was away meanwhile', async () => {
    const sockets = new Set<Socket>()
    let [away, inVain] = [false, 0]
    const between = createTcpServer((near) => {
      if (away) {
        inVain++
        near.destroy()
        return
      }
      const far = connect(Number(new URL(api.url).port), '127.0.0.1')
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
      near.pipe(far).pipe(near)
    })
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
    const token = await waiting()
    const joined = joining('patient', { server: `https://127.0.0.1:${(between.address() as AddressInfo).port}`, token, caHash: pin() })
    // Whoever fails early is heard of in the end.
    joined.catch(() => {})
    const request = await pendingOf(token)
    away = true
    for (const socket of sockets) socket.destroy()
    await eventually('it asks in vain', async () => inVain > 0, 10)
    away = false
    await admin(`certificate approve ${request}`)
    assert.match(new X509Certificate((await joined).client.certificate).subject, /CN=system:node:patient/)
    assert.equal((await admin('get csr')).match(new RegExp(`system:bootstrap:${token.slice(0, 6)} `, 'g'))?.length, 1)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => between.close(resolve))
  })

  /** The node registers, as its kubelet does. */
  const register = async (its: Client, name: string, ...addresses: string[]) => {
    const node = await its.create(Node, { metadata: { name }, spec: {} })
    await its.updateStatus(Node, { ...node, status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } })
  }

  it("its server's certificate is signed once the Node has the addresses, and for no others", async () => {
    const { ca, client: pair } = await joining('server', { token: await good(), caHash: pin() })
    const transport = createHttpTransport({ server: api.url, ca, certificate: pair.certificate, key: pair.key, authorization: () => undefined })
    const its = createClient(transport, { userAgent: 'test' })
    const asking = { client: its, nodeName: 'server', clock }
    const serving = requestServingCertificate({ ...asking, addresses: ['192.0.2.5', '2001:db8::5'] })
    await eventually('it waits', async () => /kubelet-serving .*Pending/.test(await admin('get csr')), 10)
    await register(its, 'server', '192.0.2.5', '2001:db8::5', '192.0.2.9')
    const { certificate, key } = await serving
    const parsed = new X509Certificate(certificate)
    assert.equal(parsed.subjectAltName, 'DNS:server, IP Address:192.0.2.5, IP Address:2001:DB8:0:0:0:0:0:5')
    assert.ok(parsed.checkPrivateKey(createPrivateKey(key)))
    await register(client, 'neighbor', '192.0.2.9')
    const waits = /nobody has approved and signed the certificate request csr-\w+: 'kubectl certificate approve csr-\w+' does/
    for (const addresses of [['192.0.2.9'], ['192.0.2.5', '192.0.2.6']])
      await fails(requestServingCertificate({ ...asking, addresses, patienceMs: 300 }), waits)
    await fails(requestServingCertificate({ ...asking, addresses: ['192.0.2.5'], dnsNames: ['kubernetes'], patienceMs: 300 }), waits)
    transport.close()
  })

  it('certificates are renewed before they end, and shown from then on', async () => {
    const day = 86_400_000
    // Nearly over today: the node lives through the 330 days before.
    const virtual = new (class extends VirtualClock {
      // The node's chance is to be the first to ask: the moment is known.
      override random = () => 0
    })({ start: clock.now() - 330 * day })
    const at = { commonName: 'system:node:old', organizations: ['system:nodes'] }
    const old = await issueCertificate(api.pki.ca, { ...at, usages: ['client'] }, virtual.now())
    const oldServing = await issueCertificate(api.pki.ca, { ...at, usages: ['server'], addresses: ['192.0.2.20'] }, virtual.now())
    const credentials = { ca: api.pki.ca.certificate, client: old }
    const transport = createHttpTransport({ server: api.url, ca: credentials.ca, certificate: old.certificate, key: old.key, authorization: () => undefined })
    await register(createClient(transport, { userAgent: 'test' }), 'old', '192.0.2.20')
    const shown = async () => {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
      const { object } = await transport.request({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body })
      const { userInfo } = (object as { status: { userInfo: { username: string; extra: Record<string, string[]> } } }).status
      assert.equal(userInfo.username, 'system:node:old')
      return userInfo.extra['authentication.kubernetes.io/credential-id']?.[0]
    }
    const idOf = ({ certificate }: KeyPair) => `X509SHA256=${new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()}`
    const options = { directory: directory(), nodeName: 'old', credentials, transport, clock: virtual, log }
    const served: KeyPair[] = []
    const end = keepCredentials({ ...options, serving: { shown: oldServing, addresses: ['192.0.2.20'], dnsNames: [], renew: (pair) => served.push(pair) } })
    await virtual.advance(254 * day)
    assert.equal(await shown(), idOf(old))
    assert.doesNotMatch(await admin('get csr'), /system:node:old/)
    for (const [chance, part] of [
      [0, 0.7],
      [1, 0.9],
    ] as const) {
      const { validFromDate: from, validToDate: to } = new X509Certificate(old.certificate)
      assert.equal(renewalTime(old.certificate, chance), from.getTime() + (to.getTime() - from.getTime()) * part)
    }
    const watching = await transport.request({ method: 'GET', path: '/api/v1/nodes', query: { watch: 'true', fieldSelector: 'metadata.name=old' } })
    const events = (watching.events as AsyncIterable<{ type: string }>)[Symbol.asyncIterator]()
    assert.equal((await events.next()).value?.type, 'ADDED')
    await virtual.advance(renewalTime(old.certificate, 0) - virtual.now())
    await eventually('both are renewed', async () => {
      // Slowly: the controllers that sign live by real time, and who asks is patient by this one.
      await virtual.advance(200)
      return served.length > 0 && (await shown()) !== idOf(old)
    })
    const kept = await readCredentials(options.directory, 'old', clock.now())
    // The authority is written when the node joins.
    assert.equal(kept, undefined)
    await writeFile(path(options.directory, 'ca.crt'), credentials.ca)
    const again = await readCredentials(options.directory, 'old', clock.now())
    assert.equal(again && idOf(again.client), await shown())
    assert.deepEqual(await readServingPair(options.directory, credentials.ca, clock.now()), served[0])
    assert.equal(new X509Certificate(served[0]?.certificate ?? '').subjectAltName, 'IP Address:192.0.2.20')
    // What ran on the connection of before goes on.
    await admin('label node old renewed=yes')
    assert.equal((await events.next()).value?.type, 'MODIFIED')
    await virtual.advance(30 * day)
    assert.equal(served.length, 1)
    end()
    transport.close()
  })

  it('skiff token makes what a machine joins with', async () => {
    const data = directory()
    await mkdir(data)
    await copyFile(api.kubeconfig, path(data, 'admin.kubeconfig'))
    const skiff = async (...words: string[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        path(import.meta.dirname, '../../src/cli/main.ts'),
        'token',
        ...words,
        '--data-dir',
        data,
      ])
      return stdout
    }
    await assert.rejects(skiff('list'), /skiff: no cluster is running over .*: 'skiff up' starts one/)
    await writeFile(path(data, 'cluster.json'), JSON.stringify({ pid: process.pid, startTime: processStartTime(process.pid) }))
    const command = await skiff('create', '--ttl', '90m', '--print-join-command', '--description', 'for a test')
    const [, server, token, caHash] = /^skiff agent --server (\S+) --token (\S+) --ca-hash (\S+)\n$/.exec(command) ?? []
    assert.deepEqual([server, caHash], [api.url, pin()])
    await joining('by-command', { token, caHash })
    assert.match(await skiff('list'), new RegExp(`${token} +89m +20\\S+Z +authentication,signing +for a test\n`))
    assert.match(await skiff('create', '--print-join-command', '--server', 'https://skiff.example:6443/'), /--server https:\/\/skiff.example:6443 /)
    assert.match(await skiff('delete', token ?? ''), /^token \w{6} deleted\n$/)
    assert.ok(!(await skiff('list')).includes(token ?? ''))
    await assert.rejects(skiff('delete', token ?? ''), /skiff: there is no token/)
    await assert.rejects(skiff('create', '--ttl', 'soon'), /--ttl must be a time like 24h/)
    await assert.rejects(skiff('create', 'a.b'), /has not the form of a token/)
    await assert.rejects(skiff('make'), /'skiff token' needs one of create, list, delete/)
  })

  it('strangers read what is public of the cluster, and nothing else', async () => {
    const read = async (name: string) => {
      const transport = createHttpTransport({ server: api.url, ca: api.pki.ca.certificate, authorization: () => undefined })
      const { status } = await transport.request({ method: 'GET', path: `/api/v1/namespaces/${name}` })
      transport.close()
      return status
    }
    assert.equal(await read('kube-public/configmaps/cluster-info'), 200)
    for (const closed of ['kube-public/configmaps', 'kube-public/configmaps/kube-root-ca.crt', 'kube-system/secrets']) assert.equal(await read(closed), 403)
  })
})
