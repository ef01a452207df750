import type { V1Secret } from '../../machinery/schema/generated/types.ts'
import type { RegistryAuth } from '../../runtime/runtime.ts'
import { registryOf } from './image-reference.ts'

interface DockerAuth {
  username?: string
  password?: string
  auth?: string
  identitytoken?: string
  registrytoken?: string
}

/**
 * The credentials that pull secrets hold for an image, the most specific first: keys are hosts, with a path
 * or wildcards (`*.example.com`) where they are meant for a part of a registry.
 */
export function credentialsFor(image: string, secrets: readonly V1Secret[]): RegistryAuth[] {
  const target = image.startsWith(`${registryOf(image)}/`) ? image : `docker.io/${image.includes('/') ? image : `library/${image}`}`
  const found: { key: string; auth: RegistryAuth }[] = []
  for (const secret of secrets) {
    for (const [key, entry] of Object.entries(entries(secret))) {
      const place = normalize(key)
      if (matches(place, target)) found.push({ key: place, auth: toAuth(entry) })
    }
  }
  return found.sort((a, b) => b.key.length - a.key.length).map(({ auth }) => auth)
}

function entries(secret: V1Secret): Record<string, DockerAuth> {
  const modern = secret.data?.['.dockerconfigjson']
  const old = secret.data?.['.dockercfg']
  const text = modern ?? old
  if (!text) return {}
  const parsed = JSON.parse(Buffer.from(text, 'base64').toString()) as { auths?: Record<string, DockerAuth> } & Record<string, DockerAuth>
  return modern ? (parsed.auths ?? {}) : parsed
}

const normalize = (key: string) =>
  key
    .replace(/^https?:\/\//, '')
    .replace(/\/(v1|v2)?\/?$/, '')
    .replace(/^index\.docker\.io/, 'docker.io')

function matches(place: string, target: string): boolean {
  const [host = '', ...path] = place.split('/')
  const [targetHost = '', ...targetPath] = target.split('/')
  const pattern = new RegExp(
    `^${host
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^.]*')}$`,
  )
  return pattern.test(targetHost) && path.every((part, index) => targetPath[index]?.startsWith(part))
}

function toAuth(entry: DockerAuth): RegistryAuth {
  const [username, ...password] = entry.auth ? Buffer.from(entry.auth, 'base64').toString().split(':') : []
  const auth: RegistryAuth = {}
  const user = entry.username ?? username
  const secret = entry.password ?? (password.length > 0 ? password.join(':') : undefined)
  if (user !== undefined) auth.username = user
  if (secret !== undefined) auth.password = secret
  if (entry.identitytoken) auth.identityToken = entry.identitytoken
  if (entry.registrytoken) auth.registryToken = entry.registrytoken
  return auth
}
