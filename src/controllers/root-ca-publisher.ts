/** Puts the cluster's CA into each namespace, where pods find it to check whom they talk to. */

import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { ConfigMap, Namespace } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1ConfigMap, V1Namespace } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'
import { isNamespaceEnding } from './pod-control.ts'

const name = 'kube-root-ca.crt'

/** `certificate`: of the CA, PEM. */
export function rootCaPublisher(certificate: string): AnyController {
  const data = { 'ca.crt': certificate }
  return defineController<V1Namespace>({
    name: 'root-ca-certificate-publisher-controller',
    reconciles: Namespace,
    watches: [{ resource: ConfigMap, keys: ({ metadata }: V1ConfigMap) => (metadata.name === name ? [metadata.namespace] : []) }],
    async reconcile(namespace, { key, cached, client }) {
      if (!namespace || namespace.metadata.deletionTimestamp) return
      const published = cached(ConfigMap, `${key}/${name}`)
      if (published && deepEqual(published.data, data)) return
      try {
        if (published) await client.update(ConfigMap, { ...published, data, binaryData: undefined })
        else await client.create(ConfigMap, { metadata: { name, namespace: key }, data })
      } catch (error) {
        if (!isApiError(error, 'AlreadyExists') && !isNamespaceEnding(error)) throw error
      }
    },
  })
}
