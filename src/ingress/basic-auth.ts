import type { V1Secret } from '../machinery/schema/generated/types.ts'
import { AnnotationError, type Given, plain } from './annotation-values.ts'

/** Whom a location lets in: users and hashed passwords of a Secret, in the form of htpasswd. */
export interface BasicAuth {
  /** `namespace/name`. */
  secret: string
  /** `auth-file`: the lines stand under the key `auth`; `auth-map`: a key is a user, its value the hash. */
  form: 'auth-file' | 'auth-map'
  realm: string
}

/** `auth-type`, `auth-secret`, `auth-secret-type`, `auth-realm`. */
export function readBasicAuth(given: Given, namespace: string): BasicAuth | undefined {
  const type = given('auth-type')
  if (type === undefined) return undefined
  if (type !== 'basic') throw new AnnotationError('auth-type', type, 'only basic is supported')
  const secret = plain(given, 'auth-secret', /^[a-z0-9.-]+(\/[a-z0-9.-]+)?$/, 'not the name of a Secret')
  if (secret === undefined) throw new AnnotationError('auth-secret', '', 'must name the Secret that holds the users')
  const key = secret.includes('/') ? secret : `${namespace}/${secret}`
  // Whoever may write an Ingress must not try passwords against what he may not read.
  if (!key.startsWith(`${namespace}/`)) throw new AnnotationError('auth-secret', secret, 'a Secret of another namespace is not allowed')
  const form = given('auth-secret-type') ?? 'auth-file'
  if (form !== 'auth-file' && form !== 'auth-map') throw new AnnotationError('auth-secret-type', form, 'neither auth-file nor auth-map')
  return { secret: key, form, realm: plain(given, 'auth-realm', /^[^"\\$\r\n]+$/) ?? 'Authentication Required' }
}

/** The lines for nginx, or what is wrong with the Secret, in words for an event. */
export function userLines({ secret: key, form }: BasicAuth, secret: V1Secret | undefined): { lines: string } | { problem: string } {
  if (!secret) return { problem: `error reading users from secret "${key}": secret does not exist` }
  const data = Object.entries(secret.data ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64').toString()] as const)
  if (form === 'auth-map') return { lines: data.map(([user, hash]) => `${user}:${hash.trim()}\n`).join('') }
  const file = data.find(([name]) => name === 'auth')?.[1]
  return file === undefined ? { problem: `error reading users from secret "${key}": secret has no key auth` } : { lines: file }
}
