/**
 * Signs CertificateSigningRequests that were approved, for the signers that upstream builds in, and approves those by
 * which a kubelet asks for its own client certificate.
 */
import type { ResourceRef } from '../client/client.ts'
import { defineController, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { CertificateSigningRequest } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1CertificateSigningRequest } from '../machinery/schema/generated/types.ts'

/** What a request in PEM asks to be certified. */
export interface RequestedSubject {
  commonName: string
  organizations: string[]
  dnsNames: string[]
  addresses: string[]
  /** Other alternative names: mail addresses, URIs. */
  others: string[]
}

export interface CertificateSigner {
  /** Throws for what is no request, or is not signed with its own key. */
  inspect(pem: string): Promise<RequestedSubject>
  /** The certificate, PEM. */
  sign(pem: string, usages: readonly string[], seconds: number): Promise<string>
}

const prefix = 'kubernetes.io/'
const kubeletClient = `${prefix}kube-apiserver-client-kubelet`
const year = 365 * 86_400
/** One that nobody approved is forgotten after a day, one that was decided after an hour. */
const pendingMs = 24 * 3_600_000
const decidedMs = 3_600_000

const SubjectAccessReview: ResourceRef<KubeObject> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
}

export const certificateController = (signer: CertificateSigner): AnyController =>
  defineController<V1CertificateSigningRequest>({
    name: 'certificate-controller',
    reconciles: CertificateSigningRequest,
    async reconcile(request, context) {
      if (!request) return
      const { client, clock } = context
      const has = (type: string) => request.status?.conditions?.some((condition) => condition.type === type) ?? false
      const isDecided = has('Approved') || has('Denied') || has('Failed')
      const left = Date.parse(request.metadata.creationTimestamp) + (isDecided ? decidedMs : pendingMs) - clock.now()
      if (left <= 0) {
        await client.delete(CertificateSigningRequest, request.metadata, { preconditions: { uid: request.metadata.uid } }).catch(unlessGone)
        return
      }
      if (!isDecided) await approve(request, signer, context)
      else if (has('Approved') && !has('Denied') && !has('Failed') && !request.status?.certificate) await issue(request, signer, context)
      return { again: left }
    },
  })

const pemOf = ({ spec }: V1CertificateSigningRequest): string => Buffer.from(spec.request, 'base64').toString()

async function issue(request: V1CertificateSigningRequest, signer: CertificateSigner, { client, clock }: ReconcileContext): Promise<void> {
  const { signerName, usages = [], expirationSeconds } = request.spec
  if (!signerName.startsWith(prefix) || !(signerName.slice(prefix.length) in rules)) return
  const { status = {} } = request
  const problem = await problemOf(request, signer)
  if (problem) {
    const now = timestamp(clock.now())
    const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem, lastUpdateTime: now, lastTransitionTime: now }
    await client.updateStatus(CertificateSigningRequest, { ...request, status: { ...status, conditions: [...(status.conditions ?? []), failed] } })
    return
  }
  const certificate = await signer.sign(pemOf(request), usages, Math.min(expirationSeconds ?? year, year))
  await client.updateStatus(CertificateSigningRequest, { ...request, status: { ...status, certificate: Buffer.from(certificate).toString('base64') } })
}

type Rule = (subject: RequestedSubject, usages: readonly string[], username: string) => string | undefined

const only = (usages: readonly string[], needed: string[], allowed: string[]) =>
  needed.every((usage) => usages.includes(usage)) && usages.every((usage) => needed.includes(usage) || allowed.includes(usage))
const hasNames = ({ dnsNames, addresses, others }: RequestedSubject) => dnsNames.length + addresses.length + others.length > 0
const isNode = ({ commonName, organizations }: RequestedSubject) =>
  commonName.startsWith('system:node:') && organizations.length === 1 && organizations[0] === 'system:nodes'

/** What each signer demands; upstream's sentences. */
const rules: Readonly<Record<string, Rule>> = {
  'kube-apiserver-client': (_, usages) =>
    only(usages, ['client auth'], ['digital signature', 'key encipherment'])
      ? undefined
      : 'usages did not match [client auth, digital signature, key encipherment]',
  'kube-apiserver-client-kubelet': (subject, usages) => {
    if (subject.organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes'
    if (hasNames(subject)) return 'subjectAltNames are not allowed'
    if (!subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:'
    return only(usages, ['client auth', 'digital signature'], ['key encipherment'])
      ? undefined
      : 'usages did not match [key encipherment digital signature client auth]'
  },
  'kubelet-serving': (subject, usages, username) => {
    if (subject.organizations.join() !== 'system:nodes') return 'subject organization is not system:nodes'
    if (subject.dnsNames.length + subject.addresses.length === 0) return 'DNS or IP subjectAltName is required'
    if (subject.others.length > 0) return 'Email and URI subjectAltNames are not allowed'
    if (!isNode(subject)) return 'subject common name does not begin with system:node:'
    if (username !== subject.commonName) return `requested common name ${subject.commonName} is not that of the requestor ${username}`
    return only(usages, ['server auth', 'digital signature'], ['key encipherment'])
      ? undefined
      : 'usages did not match [key encipherment digital signature server auth]'
  },
  'legacy-unknown': () => undefined,
}

async function problemOf(request: V1CertificateSigningRequest, signer: CertificateSigner): Promise<string | undefined> {
  const { signerName, usages = [], username = '' } = request.spec
  try {
    return rules[signerName.slice(prefix.length)]?.(await signer.inspect(pemOf(request)), usages, username)
  } catch (error) {
    return `unable to parse csr: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A kubelet may ask for its own certificate, and one that has none yet for its first, where that is allowed to it. */
async function approve(request: V1CertificateSigningRequest, signer: CertificateSigner, { client, clock }: ReconcileContext): Promise<void> {
  const { signerName, username, groups, uid, extra } = request.spec
  if (signerName !== kubeletClient || (await problemOf(request, signer))) return
  const { commonName } = await signer.inspect(pemOf(request))
  const kinds = [
    ...(username === commonName
      ? [{ subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }]
      : []),
    { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' },
  ]
  for (const { subresource, message } of kinds) {
    const resourceAttributes = { verb: 'create', group: 'certificates.k8s.io', resource: 'certificatesigningrequests', version: '*', subresource }
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: username, groups, uid, extra, resourceAttributes },
    }
    const answer = (await client.create(SubjectAccessReview, review as never)) as { status?: { allowed?: boolean } }
    if (!answer.status?.allowed) continue
    const now = timestamp(clock.now())
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now, lastTransitionTime: now }
    const body = { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] } }
    await client.subresource(CertificateSigningRequest, request.metadata, 'approval', 'update', body)
    return
  }
}

function unlessGone(error: unknown): void {
  if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error
}
