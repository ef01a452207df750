/**
 * Nothing is created in a namespace that is not there or is going; the system's own namespaces cannot be deleted.
 * It is asked with those that fill in, which look for other objects of the namespace and would complain of their absence first.
 */
import { forbidden, notFound } from '../../machinery/errors.ts'
import type { V1Namespace } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { refused } from './refuse.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

export const namespaceLifecycle = (server: ServerAccess): AdmissionPlugin => ({
  name: 'NamespaceLifecycle',
  async mutate(attributes) {
    const { verb, resource, namespace, name, subresource } = attributes
    const ofNamespaces = resource.group === '' && resource.plural === 'namespaces'
    if (ofNamespaces && verb === 'delete' && immortal.has(name)) throw forbidden({ resource: 'namespaces', name }, 'this namespace may not be deleted')
    if (ofNamespaces || !namespace || verb !== 'create') return
    // Asking whether something would be allowed is possible anywhere.
    if (resource.plural === 'localsubjectaccessreviews' && subresource === '') return
    const found = (await server.cached('namespaces')).get('', namespace) as V1Namespace | undefined
    if (!found) throw notFound({ resource: 'namespaces', name: namespace })
    if (!found.metadata.deletionTimestamp && found.status?.phase !== 'Terminating') return
    throw refused(attributes, `unable to create new content in namespace ${namespace} because it is being terminated`, [
      { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' },
    ])
  },
})
