/** Deletes bootstrap tokens when their time is over; the signer takes their signature away with them. */
import { bootstrapTokenNamespace, bootstrapTokenType, hasExpired, readBootstrapToken } from '../apis/core/bootstrap-token.ts'
import { defineController } from '../client/controller.ts'
import { Secret } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Secret } from '../machinery/schema/generated/types.ts'

export const tokenCleaner = defineController<V1Secret>({
  name: 'token-cleaner-controller',
  reconciles: Secret,
  among: { namespace: bootstrapTokenNamespace, fieldSelector: `type=${bootstrapTokenType}` },
  async reconcile(secret, { client, clock }) {
    const token = secret && readBootstrapToken(secret)
    if (!token || token.expiration === undefined) return
    const now = clock.now()
    if (!hasExpired(token, now)) return { again: token.expiration - now }
    const { uid, resourceVersion } = secret.metadata
    // Who prolonged it meanwhile keeps it.
    await client.delete(Secret, secret.metadata, { preconditions: { uid, resourceVersion } }).catch((error: unknown) => {
      if (!isApiError(error, 'NotFound')) throw error
    })
    return
  },
})
