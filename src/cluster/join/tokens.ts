/** Bootstrap tokens as an administrator sees them. */
import { randomInt } from 'node:crypto'
import {
  type BootstrapToken,
  type BootstrapTokenRecord,
  bootstrapSecretName,
  bootstrapTokenNamespace,
  bootstrapTokenType,
  nodeBootstrappersGroup,
  parseBootstrapToken,
  readBootstrapToken,
} from '../../apis/core/bootstrap-token.ts'
import type { Client } from '../../client/client.ts'
import { Secret } from '../../client/resources.ts'
import { timestamp } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import { UserError } from '../user-error.ts'

export interface NewToken {
  /** Milliseconds since the epoch; absent: it never ends. */
  expiration: number | undefined
  description?: string
  /** `ID.SECRET`; made by chance when absent. */
  token?: string
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** From the host's cryptographic source, not from the Clock: a token must not be guessed. */
const chance = (length: number) => Array.from({ length }, () => letters[randomInt(letters.length)]).join('')

/** Returns `ID.SECRET`. */
export async function createToken(client: Client, { expiration, description, token }: NewToken): Promise<string> {
  const made: BootstrapToken | undefined = token === undefined ? { id: chance(6), secret: chance(16) } : parseBootstrapToken(token)
  if (!made) throw new UserError(`'${token}' has not the form of a token: ID.SECRET, six and sixteen characters of a-z and 0-9`)
  const data: Record<string, string> = {
    'token-id': made.id,
    'token-secret': made.secret,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': nodeBootstrappersGroup,
    ...(expiration === undefined ? {} : { expiration: timestamp(expiration) }),
    ...(description ? { description } : {}),
  }
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  try {
    const metadata = { name: bootstrapSecretName(made.id), namespace: bootstrapTokenNamespace }
    await client.create(Secret, { metadata, type: bootstrapTokenType, data: encoded })
  } catch (error) {
    if (isApiError(error, 'AlreadyExists')) throw new UserError(`a token ${made.id} exists already: 'skiff token delete ${made.id}' removes it`)
    throw error
  }
  return `${made.id}.${made.secret}`
}

export async function listTokens(client: Client): Promise<BootstrapTokenRecord[]> {
  const { items } = await client.list(Secret, { namespace: bootstrapTokenNamespace, fieldSelector: `type=${bootstrapTokenType}` })
  return items.flatMap((secret) => readBootstrapToken(secret) ?? [])
}

/** By its id, or whole. */
export async function deleteToken(client: Client, token: string): Promise<string> {
  const id = parseBootstrapToken(token)?.id ?? token
  const name = bootstrapSecretName(id)
  const known = await client.find(Secret, { name, namespace: bootstrapTokenNamespace })
  // Whatever else lies under such a name is not ours to delete.
  if (known?.type !== bootstrapTokenType) throw new UserError(`there is no token ${id}: 'skiff token list' lists them`)
  await client.delete(Secret, known.metadata)
  return id
}
