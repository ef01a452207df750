/** A certificate asked for, approved and used, as the guides of kubectl say; kubelets get theirs by themselves. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { certificates } from '../../src/apiserver/certificates/certificates.ts'
import { createInProcessTransport } from '../../src/apiserver/in-process-transport.ts'
import type { UserInfo } from '../../src/apiserver/request.ts'
import { createClient } from '../../src/client/api-client.ts'
import type { Component } from '../../src/client/component.ts'
import { startControllers } from '../../src/client/controller-runner.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger as log } from '../../src/client/logger.ts'
import { writeKubeconfig } from '../../src/cluster/pki/kubeconfig.ts'
import { requestSigner } from '../../src/cluster/pki/request-signer.ts'
import { findProgram } from '../../src/cluster/requirements.ts'
import { controllerManagerUser, controllerUser } from '../../src/cluster/users.ts'
import { certificateApprovingController } from '../../src/controllers/certificate-approving.ts'
import { certificateSigningController } from '../../src/controllers/certificate-signing.ts'
import { realClock as clock } from '../../src/machinery/real-clock.ts'
import { startApiServer, type TestApiServer } from '../tools/api-server.ts'
import { eventually } from '../tools/cluster.ts'
import { type Kubectl, kubectl } from '../tools/kubectl.ts'

describe('certificate signing requests', { skip: findProgram('openssl') ? false : 'openssl is missing' }, () => {
  let api: TestApiServer
  let controllers: Component
  let admin: Kubectl
  before(async () => {
    api = await startApiServer({ parts: [certificates] })
    const clientOf = (user: UserInfo) => createClient(createInProcessTransport(api.server, { user, userAgent: 'test' }), { userAgent: 'test' })
    const client = clientOf(controllerUser('certificatesigningrequest-approving-controller'))
    const informers = createInformerFactory({ client: clientOf(controllerManagerUser), clock, log })
    const signer = requestSigner(api.pki.ca, clock)
    controllers = startControllers([certificateApprovingController(signer), certificateSigningController(signer)], { client, informers, clock, log, span() {} })
    admin = await kubectl(api.kubeconfig)
  })
  after(async () => {
    await controllers?.stop()
    await api?.stop()
  })

  /** A key and a request for this subject, made by openssl as people do. */
  const request = (name: string, subject: string, more: string[] = []) => {
    const [key, csr] = [join(api.dir, `${name}.key`), join(api.dir, `${name}.csr`)]
    execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', csr, '-subj', subject, ...more], { stdio: 'pipe' })
    return { key: readFileSync(key, 'utf8'), request: readFileSync(csr).toString('base64') }
  }
  const object = (name: string, signer: string, asked: string, usages: string[], more: object = {}) =>
    JSON.stringify({
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: { signerName: `kubernetes.io/${signer}`, request: asked, usages, ...more },
    })
  const issued = (name: string) => eventually(`${name} is issued`, async () => await admin(`get csr ${name} -o jsonpath={.status.certificate}`), 10)

  it('of a person: approved by an administrator, it opens what its subject may', async () => {
    const asked = request('jane', '/O=developers/CN=jane')
    await admin('create -f -', { stdin: object('jane', 'kube-apiserver-client', asked.request, ['client auth'], { expirationSeconds: 3600 }) })
    assert.match(await admin('get csr jane'), /jane.*kubernetes.io\/kube-apiserver-client.*kubernetes-admin.*60m.*Pending/)
    await admin('certificate approve jane')
    const certificate = Buffer.from(await issued('jane'), 'base64').toString()
    const parsed = new X509Certificate(certificate)
    assert.match(parsed.subject, /O=developers\nCN=jane/)
    assert.ok(Date.parse(parsed.validTo) - Date.now() <= 3600_000)
    assert.match(await admin('get csr jane'), /Approved,Issued/)
    const file = join(api.dir, 'jane.kubeconfig')
    await writeKubeconfig(file, { context: 'jane', server: api.url, authority: api.pki.ca.certificate, credentials: { certificate, key: asked.key } })
    const jane = await kubectl(file)
    const who = JSON.parse(await jane('auth whoami -o json'))
    assert.equal(who.status.userInfo.username, 'jane')
    assert.ok(who.status.userInfo.groups.includes('developers'))
    assert.equal((await jane.run(['get', 'pods'])).code, 1)
    await admin('create rolebinding jane --clusterrole=view --user=jane')
    assert.equal((await jane.run(['get', 'pods'])).code, 0)
  })

  it('denied, or for another purpose than the signer serves, it is not signed', async () => {
    const asked = request('eve', '/CN=eve')
    await admin('create -f -', { stdin: object('eve', 'kube-apiserver-client', asked.request, ['client auth']) })
    await admin('certificate deny eve')
    await admin('create -f -', { stdin: object('eve-server', 'kube-apiserver-client', asked.request, ['server auth']) })
    await admin('certificate approve eve-server')
    await eventually('it has failed', async () => /Approved,Failed/.test(await admin('get csr eve-server')), 10)
    assert.match(await admin('get csr eve-server -o jsonpath={.status.conditions[1].reason}'), /SignerValidationFailure/)
    assert.match(await admin('get csr eve'), /Denied/)
    assert.equal(await admin('get csr eve -o jsonpath={.status.certificate}'), '')
  })

  it("a kubelet's client certificate is approved by itself, where the requestor may have it", async () => {
    const asked = request('node', '/O=system:nodes/CN=system:node:new')
    const usages = ['client auth', 'digital signature']
    await admin('create -f -', { stdin: object('first', 'kube-apiserver-client-kubelet', asked.request, usages) })
    assert.match(Buffer.from(await issued('first'), 'base64').toString(), /BEGIN CERTIFICATE/)
    const message = await admin('get csr first -o jsonpath={.status.conditions[0].message}')
    assert.equal(message, 'Auto approving kubelet client certificate after SubjectAccessReview.')
    // A serving certificate proves who a machine is to others. There is no Node with these addresses: a person decides.
    const names = ['-addext', 'subjectAltName=DNS:new,IP:192.0.2.7']
    const serving = request('serving', '/O=system:nodes/CN=system:node:new', names)
    const kubelet = await kubectl(await api.kubeconfigOf({ name: 'system:node:new', groups: ['system:nodes'] }))
    await kubelet('create -f -', { stdin: object('serving', 'kubelet-serving', serving.request, ['server auth', 'digital signature']) })
    assert.match(await admin('get csr serving'), /Pending/)
    await admin('certificate approve serving')
    const certificate = new X509Certificate(Buffer.from(await issued('serving'), 'base64'))
    assert.match(certificate.subjectAltName ?? '', /DNS:new, IP Address:192.0.2.7/)
    assert.ok(certificate.verify(new X509Certificate(api.pki.ca.certificate).publicKey))
  })
})
