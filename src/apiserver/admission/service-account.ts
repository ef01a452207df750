/**
 * Every pod runs as a service account of its namespace, and finds the account's token, the cluster's authority and
 * its namespace under `/var/run/secrets/kubernetes.io/serviceaccount`, unless pod or account say otherwise.
 */
import type { V1Container, V1Pod, V1ServiceAccount, V1Volume } from '../../machinery/schema/generated/types.ts'
import type { AdmissionPlugin, ServerAccess } from '../contracts.ts'
import { draftOf, isWriteOf, refused } from './refuse.ts'

const tokenDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
const tokenSeconds = 3607
const mirrorAnnotation = 'kubernetes.io/config.mirror'
/** The account of a namespace is made just after the namespace: the first pods may be quicker. */
const waitForAccountMs = 1000

/** No vowels and nothing that is easily taken for another, as generated names have it. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

const tokenVolume = (name: string): V1Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
})

export function serviceAccount(server: ServerAccess): AdmissionPlugin {
  async function find(namespace: string, name: string): Promise<V1ServiceAccount | undefined> {
    const accounts = await server.cached('serviceaccounts')
    const found = accounts.get(namespace, name)
    if (found) return found as unknown as V1ServiceAccount
    return await new Promise((resolve) => {
      const finish = (account: V1ServiceAccount | undefined) => {
        end()
        timer.cancel()
        resolve(account)
      }
      const end = accounts.onChange(({ object }) => {
        if (object?.metadata.namespace === namespace && object.metadata.name === name) finish(object as unknown as V1ServiceAccount)
      })
      const timer = server.clock.after(waitForAccountMs, () => finish(undefined))
    })
  }

  const suffix = () => Array.from({ length: 5 }, () => alphabet[Math.floor(server.clock.random() * alphabet.length)]).join('')

  function mountToken(pod: V1Pod): void {
    const { spec } = pod
    if (!spec) return
    const containers: V1Container[] = [...(spec.initContainers ?? []), ...spec.containers]
    const without = containers.filter((container) => !container.volumeMounts?.some(({ mountPath }) => mountPath === tokenDirectory))
    const present = spec.volumes?.find((volume) => volume.projected && volume.name.startsWith(volumePrefix))
    const name = present?.name ?? `${volumePrefix}${suffix()}`
    for (const container of without) container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenDirectory }]
    if (!present && without.length > 0) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
  }

  return {
    name: 'ServiceAccount',
    handles: (attributes) => attributes.verb === 'create' && isWriteOf(attributes, 'pods'),
    async mutate(attributes) {
      const pod = draftOf<V1Pod>(attributes)
      const { spec } = pod
      if (!spec || pod.metadata.annotations?.[mirrorAnnotation] !== undefined) return
      spec.serviceAccountName ||= 'default'
      spec.serviceAccount = spec.serviceAccountName
      const name = spec.serviceAccountName
      const account = await find(attributes.namespace, name)
      if (!account) throw refused(attributes, `error looking up service account ${attributes.namespace}/${name}: serviceaccount "${name}" not found`)
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod)
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets.map((one) => ({ ...one }))
    },
    validate(attributes) {
      const pod = draftOf<V1Pod>(attributes)
      if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) return
      if (pod.spec?.serviceAccountName) throw refused(attributes, 'a mirror pod may not reference service accounts')
    },
  }
}
