/** Puts the cluster's CA into each namespace, where pods find it to check whom they talk to. */

import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { ConfigMap, Namespace } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import { doubled } from '../machinery/metrics/registry.ts'
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
    async reconcile(namespace, { key, cached, client, clock, metrics }) {
      if (!namespace || namespace.metadata.deletionTimestamp) return
      const published = cached(ConfigMap, `${key}/${name}`)
      if (published && deepEqual(published.data, data)) return
      const start = clock.monotonic()
      let code = '200'
      try {
        if (published) await client.update(ConfigMap, { ...published, data, binaryData: undefined })
        else await client.create(ConfigMap, { metadata: { name, namespace: key }, data })
      } catch (error) {
        code = isApiError(error) ? String(error.code) : '500'
        if (!isApiError(error, 'AlreadyExists') && !isNamespaceEnding(error)) throw error
      } finally {
        metrics.counter('root_ca_cert_publisher_sync_total', 'Namespaces that were given the CA, by code.', ['code']).of(code).add()
        metrics
          .histogram('root_ca_cert_publisher_sync_duration_seconds', 'Seconds that giving the CA to a namespace took.', ['code'], doubled(0.001, 15))
          .of(code)
          .observe((clock.monotonic() - start) / 1000)
      }
    },
  })
}
