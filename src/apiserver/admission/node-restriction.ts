/** A kubelet changes its own node, the pods bound to it, and its own lease; nothing of other nodes. */

import { isDeepStrictEqual } from 'node:util'
import { nodeProxyAccount, nodeProxyTokenSeconds } from '../../apis/core/node-proxy-account.ts'
import type {
  AuthenticationV1TokenRequest,
  V1CertificateSigningRequest,
  V1Node,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ResourceSlice,
} from '../../machinery/schema/generated/types.ts'
import { podReferences } from '../authorization/node/pod-references.ts'
import { requestSubject } from '../certificates/request-subject.ts'
import type { AdmissionAttributes, AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, refused } from './refuse.ts'

const userPrefix = 'system:node:'
const kubeletSigners = ['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving']

/** Labels in Kubernetes' own domains that a kubelet may give its node; others there say where pods may be placed. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
])
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']

function isForbiddenLabel(label: string): boolean {
  const domain = label.includes('/') ? label.slice(0, label.indexOf('/')) : ''
  const within = (parent: string) => domain === parent || domain.endsWith(`.${parent}`)
  if (!within('kubernetes.io') && !within('k8s.io')) return false
  if (within('node-restriction.kubernetes.io')) return true
  return !ownLabels.has(label) && !ownDomains.some(within)
}

function changedLabels(now: V1Node, before: V1Node | undefined): string[] {
  const labels = { ...before?.metadata.labels, ...now.metadata.labels }
  return Object.keys(labels)
    .filter((label) => now.metadata.labels?.[label] !== before?.metadata.labels?.[label])
    .sort()
}

function nodeNameOf({ user }: AdmissionAttributes): string | undefined {
  return user.groups.includes('system:nodes') && user.name.startsWith(userPrefix) ? user.name.slice(userPrefix.length) : undefined
}

export function nodeRestriction(server: ServerAccess): AdmissionPlugin {
  async function podOf({ namespace, name }: AdmissionAttributes): Promise<V1Pod | undefined> {
    return (await server.cached('pods')).get(namespace, name) as V1Pod | undefined
  }

  async function pods(attributes: AdmissionAttributes, node: string): Promise<void> {
    const { verb, subresource } = attributes
    const runsHere = (pod: V1Pod | undefined) => pod?.spec?.nodeName === node
    if (subresource === 'eviction') {
      if (!runsHere(await podOf(attributes))) throw refused(attributes, `node "${node}" can only evict pods with spec.nodeName set to itself`)
    } else if (subresource === 'status') {
      if (!runsHere(attributes.old as unknown as V1Pod))
        throw refused(attributes, `node "${node}" can only update pod status for pods with spec.nodeName set to itself`)
    } else if (subresource !== '') throw refused(attributes, `unexpected pod subresource "${subresource}"`)
    else if (verb === 'create') {
      const pod = draftOf<V1Pod>(attributes)
      if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] === undefined)
        throw refused(attributes, `pod does not have "kubernetes.io/config.mirror" annotation, node "${node}" can only create mirror pods`)
      if (!runsHere(pod)) throw refused(attributes, `node "${node}" can only create pods with spec.nodeName set to itself`)
      // A mirror pod stands for what runs on the node already; through it a kubelet must not reach anything of the API.
      if (pod.spec.serviceAccountName) throw refused(attributes, `node "${node}" can not create pods that reference a service account`)
      const found = podReferences(pod).find((one) => !one.startsWith('serviceaccounts '))
      if (found) throw refused(attributes, `node "${node}" can not create pods that reference ${found.slice(0, found.indexOf(' '))}`)
    } else if (verb === 'delete') {
      if (!runsHere(await podOf(attributes))) throw refused(attributes, `node "${node}" can only delete pods with spec.nodeName set to itself`)
    } else if (verb === 'update') throw refused(attributes, `unexpected operation "UPDATE", node "${node}" can only create and delete mirror pods`)
  }

  function ownNode(attributes: AdmissionAttributes, node: string): void {
    const now = draftOf<V1Node | undefined>(attributes)
    const before = attributes.old as unknown as V1Node | undefined
    if (attributes.verb === 'delete' || !now) throw refused(attributes, `node "${node}" is not allowed to delete node "${attributes.name}"`)
    const forbidden = changedLabels(now, before).filter(isForbiddenLabel)
    const all = `is not allowed to ${before ? 'modify' : 'set the following'} labels: ${forbidden.join(', ')}`
    if (forbidden.length > 0) throw refused(attributes, all)
    // Taints keep pods away that the node might want.
    if (before && attributes.subresource === '' && !isDeepStrictEqual(now.spec?.taints ?? [], before.spec?.taints ?? []))
      throw refused(attributes, `node "${node}" is not allowed to modify taints`)
    if (before && !isDeepStrictEqual(now.metadata.ownerReferences ?? [], before.metadata.ownerReferences ?? []))
      throw refused(attributes, `node "${node}" is not allowed to modify ownerReferences`)
  }

  function leases(attributes: AdmissionAttributes, node: string): void {
    const name = attributes.name || attributes.object?.metadata.name
    if (attributes.namespace !== 'kube-node-lease') throw refused(attributes, `can only access leases in the "kube-node-lease" system namespace`)
    if (name !== node) throw refused(attributes, 'can only access node lease with the same name as the requesting node')
  }

  async function tokens(attributes: AdmissionAttributes, node: string): Promise<void> {
    const { spec } = draftOf<AuthenticationV1TokenRequest>(attributes)
    const bound = spec?.boundObjectRef
    if (bound?.kind === 'Node' && attributes.namespace === nodeProxyAccount.namespace && attributes.name === nodeProxyAccount.name) {
      if (bound.name !== node) throw refused(attributes, 'node requested token bound to a different node')
      if (spec?.audiences?.length) throw refused(attributes, 'node requested token of its proxy for another audience than the API server')
      if ((spec?.expirationSeconds ?? 0) > nodeProxyTokenSeconds)
        throw refused(attributes, `node requested token of its proxy for more than ${nodeProxyTokenSeconds} seconds`)
      return
    }
    if (bound?.kind !== 'Pod') throw refused(attributes, 'node requested token not bound to a pod')
    const pod = (await server.cached('pods')).get(attributes.namespace, bound.name ?? '') as V1Pod | undefined
    if (!bound.uid) throw refused(attributes, 'node requested token with a pod binding without a uid')
    if (pod?.metadata.uid !== bound.uid) throw refused(attributes, 'node requested token bound to a pod that is another or gone')
    if (pod.spec?.nodeName !== node) throw refused(attributes, 'node requested token bound to a pod scheduled on a different node')
  }

  /** What a kubelet found out about the volume's size; all else of a claim is the controllers' to say. */
  function claimStatus(attributes: AdmissionAttributes, node: string): void {
    const rest = ({ metadata, spec, status }: V1PersistentVolumeClaim) => {
      const { resourceVersion: _version, managedFields: _fields, ...identity } = metadata
      const { capacity: _capacity, conditions: _conditions, allocatedResources: _allocated, allocatedResourceStatuses: _statuses, ...others } = status ?? {}
      return { identity, spec, others }
    }
    if (!isDeepStrictEqual(rest(draftOf(attributes)), rest(attributes.old as unknown as V1PersistentVolumeClaim)))
      throw refused(attributes, `node "${node}" is not allowed to update fields other than status.quantity and status.conditions`)
  }

  function resourceSlices(attributes: AdmissionAttributes, node: string): void {
    // A collection is deleted by the node's name, which the authorizer sees to.
    for (const slice of [attributes.object, attributes.old])
      if (slice && (slice as unknown as V1ResourceSlice).spec?.nodeName !== node)
        throw refused(attributes, `node "${node}" can only ${attributes.verb} ResourceSlices with spec.nodeName set to itself`)
  }

  async function certificateRequests(attributes: AdmissionAttributes): Promise<void> {
    const { spec } = draftOf<V1CertificateSigningRequest>(attributes)
    if (!kubeletSigners.includes(spec.signerName)) return
    const subject = await requestSubject(Buffer.from(spec.request ?? '', 'base64').toString())
    if (!subject) throw refused(attributes, 'unable to parse csr: asn1: structure error')
    if (subject.commonName !== attributes.user.name) throw refused(attributes, `can only create a node CSR with CN=${attributes.user.name}`)
  }

  return {
    name: 'NodeRestriction',
    handles: (attributes) => attributes.verb !== 'connect' && nodeNameOf(attributes) !== undefined,
    async validate(attributes) {
      const node = nodeNameOf(attributes)
      if (node === undefined) return
      const { resource, subresource } = attributes
      const what = resource.group ? `${resource.plural}.${resource.group}` : resource.plural
      if (what === 'pods') await pods(attributes, node)
      else if (what === 'leases.coordination.k8s.io') leases(attributes, node)
      else if (what === 'serviceaccounts' && subresource === 'token') await tokens(attributes, node)
      else if (what === 'persistentvolumeclaims' && subresource === 'status') claimStatus(attributes, node)
      else if (what === 'resourceslices.resource.k8s.io') resourceSlices(attributes, node)
      else if (what === 'certificatesigningrequests.certificates.k8s.io' && attributes.verb === 'create') await certificateRequests(attributes)
      else if (what === 'nodes' || what === 'csinodes.storage.k8s.io') {
        const name = attributes.name || attributes.object?.metadata.name
        if (name !== node) throw refused(attributes, `node "${node}" is not allowed to modify ${resource.kind === 'Node' ? 'node' : resource.kind} "${name}"`)
        if (what === 'nodes') ownNode(attributes, node)
      }
    },
  }
}
