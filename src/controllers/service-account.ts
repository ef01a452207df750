/** Sees to it that each namespace has a service account `default`: pods that name none run as it. */
import { defineController } from '../client/controller.ts'
import { Namespace, ServiceAccount } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Namespace, V1ServiceAccount } from '../machinery/schema/generated/types.ts'
import { isNamespaceEnding } from './pod-control.ts'

const name = 'default'

export const serviceAccountController = defineController<V1Namespace>({
  name: 'service-account-controller',
  reconciles: Namespace,
  watches: [{ resource: ServiceAccount, keys: ({ metadata }: V1ServiceAccount) => (metadata.name === name ? [metadata.namespace] : []) }],
  async reconcile(namespace, { key, cached, client }) {
    if (!namespace || namespace.metadata.deletionTimestamp || cached(ServiceAccount, `${key}/${name}`)) return
    try {
      await client.create(ServiceAccount, { metadata: { name, namespace: key } })
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists') && !isNamespaceEnding(error)) throw error
    }
  },
})
