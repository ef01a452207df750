/**
 * Secrets of type `kubernetes.io/service-account-token` get the token of the account that their annotation names,
 * with the cluster's authority and the namespace. Upstream fills them a moment later by a controller, which needs the
 * signing key; here the server that has the key does it on the way in.
 */
import type { AnyObject } from '../../machinery/object.ts'
import type { ResourceHooks, ServerAccess } from '../contracts.ts'
import { legacyClaims } from './service-account-tokens.ts'
import type { TokenSigner } from './token-signer.ts'

const type = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'

const base64 = (text: string) => Buffer.from(text).toString('base64')

export function tokenSecretHooks(server: ServerAccess, signer: TokenSigner, clusterCa: string | undefined): ResourceHooks {
  async function fill(draft: AnyObject): Promise<undefined> {
    const { namespace = '', name, annotations } = draft.metadata
    const data = (draft.data ?? {}) as Record<string, string>
    const accountName = annotations?.[nameAnnotation]
    if (draft.type !== type || !accountName || data.token) return
    const account = (await server.cached('serviceaccounts')).get(namespace, accountName)
    // Without the account there is no token; the Secret waits for it.
    if (!account) return
    const { uid } = account.metadata
    draft.metadata.annotations = { ...annotations, [uidAnnotation]: uid }
    draft.data = {
      ...data,
      ...(clusterCa ? { 'ca.crt': base64(clusterCa) } : {}),
      namespace: base64(namespace),
      token: base64(signer.sign(legacyClaims({ namespace, secret: name, account: { name: accountName, uid } }))),
    }
  }
  return { beforeCreate: fill, beforeUpdate: fill }
}
