/**
 * Approves the certificates of kubelets: the first client certificate of a node that joins, those by which it renews it,
 * and those of its server for names that are its own. Who may ask is RBAC's to say, by `create` on the subresources
 * `nodeclient`, `selfnodeclient` (upstream's) and `selfnodeserver` (ours) of `certificatesigningrequests`.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ResourceRef } from '../client/client.ts'
import { defineController, type Read, type ReconcileContext } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { CertificateSigningRequest, EndpointSlice, Node, Service } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { V1CertificateSigningRequest, V1Node } from '../machinery/schema/generated/types.ts'
import { type CertificateSigner, hasCondition, kubeletClientSigner, kubeletServingSigner, problemOf, requestPem } from './certificate-rules.ts'
import { mayServeAs } from './kubelet-serving-names.ts'

const SubjectAccessReview: ResourceRef<KubeObject> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
}

/** The right may be given later: nothing tells of it. */
const askAgainMs = 60_000

interface Kind {
  subresource: string
  message: string
}

const isOpen = (request: V1CertificateSigningRequest) =>
  !hasCondition(request, 'Approved') && !hasCondition(request, 'Denied') && !hasCondition(request, 'Failed') && !request.status?.certificate

/** A serving certificate may wait for the Node's addresses. */
function waitingFor(node: V1Node, previous: V1Node | undefined, { informer }: Read): string[] {
  if (isDeepStrictEqual(node.status?.addresses, previous?.status?.addresses)) return []
  return informer(CertificateSigningRequest)
    .list()
    .filter((one) => one.spec.signerName === kubeletServingSigner && one.spec.username === `system:node:${node.metadata.name}` && isOpen(one))
    .map(({ metadata }) => metadata.name)
}

export const certificateApprovingController = (signer: CertificateSigner): AnyController =>
  defineController<V1CertificateSigningRequest>({
    name: 'certificatesigningrequest-approving-controller',
    reconciles: CertificateSigningRequest,
    watches: [{ resource: Node, keys: waitingFor }],
    reads: [Service, EndpointSlice],
    async reconcile(request, context) {
      if (!request || !isOpen(request)) return
      const { signerName } = request.spec
      if ((signerName !== kubeletClientSigner && signerName !== kubeletServingSigner) || (await problemOf(request, signer))) return
      for (const kind of await kindsOf(request, signer, context)) {
        if (!(await isAllowed(request, kind, context))) continue
        await approve(request, kind, context)
        return
      }
      return { again: askAgainMs }
    },
  })

async function kindsOf(request: V1CertificateSigningRequest, signer: CertificateSigner, { informer }: ReconcileContext): Promise<Kind[]> {
  const { signerName, username } = request.spec
  const subject = await signer.inspect(requestPem(request))
  const isSelf = username === subject.commonName
  if (signerName === kubeletClientSigner) {
    const self = { subresource: 'selfnodeclient', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }
    const first = { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' }
    return isSelf ? [self, first] : [first]
  }
  const known = { nodes: informer(Node).list(), services: informer(Service).list(), endpointSlices: informer(EndpointSlice).inNamespace('default') }
  return isSelf && mayServeAs(subject.commonName.slice('system:node:'.length), subject, known)
    ? [{ subresource: 'selfnodeserver', message: 'Auto approving self kubelet server certificate after SubjectAccessReview.' }]
    : []
}

async function isAllowed({ spec }: V1CertificateSigningRequest, { subresource }: Kind, { client }: ReconcileContext): Promise<boolean> {
  const { username, groups, uid, extra } = spec
  const resourceAttributes = { verb: 'create', group: 'certificates.k8s.io', resource: 'certificatesigningrequests', version: '*', subresource }
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: { user: username, groups, uid, extra, resourceAttributes },
  }
  const answer = (await client.create(SubjectAccessReview, review as never)) as { status?: { allowed?: boolean } }
  return answer.status?.allowed ?? false
}

async function approve(request: V1CertificateSigningRequest, { message }: Kind, { client, clock }: ReconcileContext): Promise<void> {
  const now = timestamp(clock.now())
  const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, lastUpdateTime: now, lastTransitionTime: now }
  const body = { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), approved] } }
  await client.subresource(CertificateSigningRequest, request.metadata, 'approval', 'update', body)
}
