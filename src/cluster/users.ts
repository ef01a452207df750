/** Who the components are to the API server. Their rights come from RBAC like everybody's (design, rule 1). */
import type { UserInfo } from '../apiserver/request.ts'

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'] })

export const controllerManagerUser = user('system:kube-controller-manager')
export const schedulerUser = user('system:kube-scheduler')
export const proxyUser = user('system:kube-proxy')
export const nodeUser = (nodeName: string): UserInfo => user(`system:node:${nodeName}`, 'system:nodes')
export const serviceAccountUser = (namespace: string, name: string): UserInfo =>
  user(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`)
/** The administrator, for what the start of a cluster makes. */
export const bootstrapUser = user('skiff:bootstrap', 'system:masters')

/** The service account of each controller, where it is not of the controller's own name; as upstream names them. */
const controllerAccounts: Readonly<Record<string, string>> = {
  'bootstrap-signer-controller': 'bootstrap-signer',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'daemonset-controller': 'daemon-set-controller',
  'endpoint-slice-controller': 'endpointslice-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'node-ipam-controller': 'node-controller',
  'persistentvolume-controller': 'persistent-volume-binder',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'stale-pod-disruption-controller': 'disruption-controller',
  'token-cleaner-controller': 'token-cleaner',
  'skiff.dev/local-directory': 'local-directory-provisioner',
}

export const controllerUser = (controller: string): UserInfo => serviceAccountUser('kube-system', controllerAccounts[controller] ?? controller)
