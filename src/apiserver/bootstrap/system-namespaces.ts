import type { ServerAccess } from '../contracts.ts'
import { ensure } from './ensure.ts'

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

/** Whatever part of the server puts objects into them calls this first; when they are there it asks the cache alone. */
export async function ensureSystemNamespaces(server: ServerAccess): Promise<void> {
  const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } })
  await Promise.all(systemNamespaces.map((name) => ensure(server, 'namespaces', namespace(name))))
}
