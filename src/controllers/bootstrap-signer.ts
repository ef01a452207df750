/**
 * Signs what is publicly known of the cluster (ConfigMap kube-public/cluster-info) with each bootstrap token that is for
 * that: whoever has the token can tell the cluster's own word from somebody else's, before trusting anything.
 */
import { bootstrapTokenNamespace, bootstrapTokenType, clusterInfo, hasExpired, readBootstrapToken, signaturePrefix } from '../apis/core/bootstrap-token.ts'
import { defineController } from '../client/controller.ts'
import { ConfigMap, Secret } from '../client/resources.ts'
import { signDetached } from '../machinery/detached-jws.ts'
import type { V1ConfigMap, V1Secret } from '../machinery/schema/generated/types.ts'
import { deepEqual } from './deep-equal.ts'

const key = `${clusterInfo.namespace}/${clusterInfo.name}`

export const bootstrapSigner = defineController<V1ConfigMap>({
  name: 'bootstrap-signer-controller',
  reconciles: ConfigMap,
  among: { namespace: clusterInfo.namespace, fieldSelector: `metadata.name=${clusterInfo.name}` },
  watches: [
    {
      resource: Secret,
      among: { namespace: bootstrapTokenNamespace, fieldSelector: `type=${bootstrapTokenType}` },
      keys: () => [key],
    },
  ],
  async reconcile(published, { client, clock, informer }) {
    const { kubeconfig } = published?.data ?? {}
    if (!published || kubeconfig === undefined) return
    const tokens = informer(Secret)
      .list()
      .flatMap((secret: V1Secret) => (secret.metadata.deletionTimestamp ? [] : (readBootstrapToken(secret) ?? [])))
      .filter((token) => token.signing && !hasExpired(token, clock.now()))
    const others = Object.entries(published.data ?? {}).filter(([name]) => !name.startsWith(signaturePrefix))
    const signatures = tokens.map(({ id, secret }) => [`${signaturePrefix}${id}`, signDetached(kubeconfig, id, secret)] as const)
    const data = Object.fromEntries([...others, ...signatures])
    if (!deepEqual(data, published.data)) await client.update(ConfigMap, { ...published, data })
    return
  },
})
