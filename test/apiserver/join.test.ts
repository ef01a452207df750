/** A machine becomes a node by address and token, against a whole API server over TLS with real certificates. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Client } from '../../src/client/client.ts'
import type { Component } from '../../src/client/component.ts'
import { startControllers } from '../../src/client/controller-runner.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { pinOf } from '../../src/cluster/join/authority-pin.ts'
import { type JoinOptions, join } from '../../src/cluster/join/join.ts'
import { ensureJoinObjects } from '../../src/cluster/join/join-objects.ts'
import { requestSigner } from '../../src/cluster/pki/request-signer.ts'
import { bootstrapUser, controllerUser } from '../../src/cluster/users.ts'
import { bootstrapSigner } from '../../src/controllers/bootstrap-signer.ts'
import { certificateApprovingController } from '../../src/controllers/certificate-approving.ts'
import { certificateSigningController } from '../../src/controllers/certificate-signing.ts'
import { tokenCleaner } from '../../src/controllers/token-cleaner.ts'
import { realClock as clock } from '../../src/machinery/real-clock.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
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

  const token = async (id: string, secret: string, more: Record<string, string> = {}) => {
    const stringData = {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      ...more,
    }
    const secretObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      stringData,
    }
    await admin('create -f -', { stdin: JSON.stringify(secretObject) })
    return `${id}.${secret}`
  }
  let made = 0
  const joining = (nodeName: string, more: Partial<JoinOptions> = {}) =>
    join({ server: api.url, nodeName, directory: path(dir, `${nodeName}-${made++}`), clock, log, patienceMs: 2000, ...more })

  it('with the right token, known by its certificate from then on', async () => {
    const options = { directory: path(dir, 'first'), token: await token('aaaaaa', '0123456789abcdef'), caHash: pinOf(api.pki.ca.certificate) }
    const { ca, client: pair } = await joining('first', options)
    assert.equal(ca, api.pki.ca.certificate)
    assert.equal(new X509Certificate(pair.certificate).subject, 'O=system:nodes\nCN=system:node:first')
    for (const file of ['client.key', 'client.crt', 'ca.crt']) assert.equal(statSync(path(options.directory, file)).mode & 0o777, 0o600)
    assert.match(await admin('get csr'), /csr-\w+ .*kubernetes.io\/kube-apiserver-client-kubelet +system:bootstrap:aaaaaa .*Approved,Issued/)
    assert.deepEqual(await joining('first', { directory: options.directory }), { ca, client: pair })
  })
})
