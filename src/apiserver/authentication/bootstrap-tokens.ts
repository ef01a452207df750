/** Nodes that join: a bootstrap token makes its bearer `system:bootstrap:ID`, for as long as its Secret is there and good. */
import { createHash, timingSafeEqual } from 'node:crypto'
import {
  bootstrappersGroup,
  bootstrapSecretName,
  bootstrapTokenNamespace,
  hasExpired,
  isBootstrapGroup,
  parseBootstrapToken,
  readBootstrapToken,
} from '../../apis/core/bootstrap-token.ts'
import type { V1Secret } from '../../machinery/schema/generated/types.ts'
import type { ServerAccess } from '../contracts.ts'
import type { UserInfo } from '../request.ts'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Undefined where it is no bootstrap token, or not a good one: why is nothing that a stranger is told. */
export async function bootstrapUser(server: ServerAccess, text: string): Promise<UserInfo | undefined> {
  const token = parseBootstrapToken(text)
  if (!token) return undefined
  const stored = (await server.cached('secrets')).get(bootstrapTokenNamespace, bootstrapSecretName(token.id))
  if (!stored || stored.metadata.deletionTimestamp) return undefined
  const known = readBootstrapToken(stored as unknown as V1Secret)
  // Digests are compared, so that the time says nothing of the secret nor of its length.
  if (!known || !timingSafeEqual(digest(known.secret), digest(token.secret))) return undefined
  if (!known.authentication || hasExpired(known, server.clock.now())) return undefined
  // A group outside its domain would be one that the token must not give: nothing of it counts then.
  if (!known.extraGroups.every(isBootstrapGroup)) return undefined
  const groups = [...new Set([bootstrappersGroup, ...known.extraGroups])].sort()
  return { name: `system:bootstrap:${token.id}`, groups: [...groups, 'system:authenticated'] }
}
