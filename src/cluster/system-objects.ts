/** What a cluster of Skiff has beyond what every API server makes: rights of its components, storage class, ingress class, DNS Service. */
import { nodeProxyAccount } from '../apis/core/node-proxy-account.ts'
import type { Client } from '../client/client.ts'
import { ClusterRoleBinding, EndpointSlice, IngressClass, Role, RoleBinding, Service, ServiceAccount, StorageClass } from '../client/resources.ts'
import { localDirectoryProvisioner } from '../controllers/local-directory-provisioner.ts'
import { clusterDnsObjects } from '../dns/manifests.ts'
import { isApiError } from '../machinery/errors.ts'
import type { New } from '../machinery/object.ts'
import type { V1IngressClass, V1StorageClass } from '../machinery/schema/generated/types.ts'
import { componentBindings, outdatedBinding, proxyTokenBinding, proxyTokenRole } from './component-roles.ts'
import { ensure } from './ensure.ts'

export interface SystemObjectOptions {
  dnsServiceAddress: string
  /** Where the cluster DNS listens, and on which node. */
  dnsAddress: string
  nodeName: string
}

const storageClass: New<V1StorageClass> = {
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: localDirectoryProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
}

const ingressClass: New<V1IngressClass> = {
  metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  spec: { controller: 'k8s.io/ingress-nginx' },
}

export async function ensureSystemObjects(client: Client, options: SystemObjectOptions): Promise<void> {
  const dns = clusterDnsObjects({ clusterIP: options.dnsServiceAddress, addresses: [options.dnsAddress], nodeName: options.nodeName })
  await Promise.all([
    ...componentBindings.map((binding) => ensure(client, ClusterRoleBinding, binding)),
    withdraw(client, outdatedBinding),
    ensure(client, ServiceAccount, { metadata: nodeProxyAccount }),
    ensure(client, Role, proxyTokenRole),
    ensure(client, RoleBinding, proxyTokenBinding),
    ensure(client, StorageClass, storageClass),
    ensure(client, IngressClass, ingressClass),
    ensure(client, Service, dns.service),
    ensure(client, EndpointSlice, dns.endpointSlice),
  ])
}

async function withdraw(client: Client, name: string): Promise<void> {
  try {
    await client.delete(ClusterRoleBinding, { name })
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
  }
}
