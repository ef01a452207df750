import type { V1Ingress } from '../machinery/schema/generated/types.ts'
import { AnnotationError, annotationPrefix, blocks, flag, type Given, list, plain } from './annotation-values.ts'
import { type BasicAuth, readBasicAuth } from './basic-auth.ts'
import { type Cors, readCors } from './cors.ts'
import { type Limits, readLimits } from './limits.ts'

export type BackendProtocol = 'HTTP' | 'HTTPS' | 'GRPC' | 'GRPCS'

export interface LocationSettings {
  useRegex: boolean
  rewriteTarget: string | undefined
  sslRedirect: boolean
  forceSslRedirect: boolean
  backendProtocol: BackendProtocol
  /** Answers with this in place of asking a backend. */
  redirect: { code: number; to: string } | undefined
  upstreamHost: string | undefined
  forwardedPrefix: string | undefined
  cors: Cors | undefined
  limits: Limits
  auth: BasicAuth | undefined
  /** Lines of configuration that follow from the value alone. */
  directives: string[]
}

export interface ServerSettings {
  appRoot: string | undefined
}

export interface Annotations {
  location: LocationSettings
  server: ServerSettings
  aliases: string[]
  /** Names of annotations that nobody asked for: they are not supported, or go with one that is not there. */
  withoutEffect: string[]
}

/** The lines of configuration of a value. */
type Read = (given: Given, annotation: string) => string[]

const size = /^\d+[kKmMgG]?$/

/** Annotations that are one directive each. What a value may be is checked: it goes into the configuration as it is. */
const directives: Record<string, Read> = {
  'proxy-body-size': matching(size, 'not a size', (value) => [`client_max_body_size ${value};`]),
  'client-body-buffer-size': matching(size, 'not a size', (value) => [`client_body_buffer_size ${value};`]),
  'proxy-buffer-size': matching(size, 'not a size', (value) => [`proxy_buffer_size ${value};`]),
  'proxy-max-temp-file-size': matching(size, 'not a size', (value) => [`proxy_max_temp_file_size ${value};`]),
  'proxy-buffering': matching(/^(on|off)$/, 'neither on nor off', (value) => [`proxy_buffering ${value};`]),
  'proxy-request-buffering': matching(/^(on|off)$/, 'neither on nor off', (value) => [`proxy_request_buffering ${value};`]),
  'proxy-connect-timeout': seconds('proxy_connect_timeout', 'grpc_connect_timeout'),
  'proxy-send-timeout': seconds('proxy_send_timeout', 'grpc_send_timeout'),
  'proxy-read-timeout': seconds('proxy_read_timeout', 'grpc_read_timeout'),
  'proxy-next-upstream': matching(/^[a-z0-9_ ]+$/, 'not a list of conditions', (value) => [`proxy_next_upstream ${value};`]),
  'proxy-next-upstream-tries': matching(/^\d+$/, 'not a number', (value) => [`proxy_next_upstream_tries ${value};`]),
  'proxy-next-upstream-timeout': matching(/^\d+$/, 'not a number', (value) => [`proxy_next_upstream_timeout ${value};`]),
  'whitelist-source-range': allowed,
  'allowlist-source-range': allowed,
  'denylist-source-range': denied,
}

/** Raw configuration from whoever may write an Ingress would be a way around every rule here. */
const forbidden = ['configuration-snippet', 'server-snippet', 'auth-snippet', 'stream-snippet', 'modsecurity-snippet']

/** Who asks for a protection that is not there shall not be served without it. */
const missing =
  /^(auth-url|auth-signin|auth-tls-.*|enable-modsecurity|enable-owasp-core-rules|proxy-ssl-(secret|verify)|secure-verify-ca-secret|satisfy|canary)$/

export function readAnnotations({ metadata }: V1Ingress): Annotations {
  const asked = new Set<string>()
  const given: Given = (name) => {
    asked.add(name)
    return metadata.annotations?.[annotationPrefix + name]?.trim() || undefined
  }
  const own = Object.keys(metadata.annotations ?? {}).flatMap((key) => (key.startsWith(annotationPrefix) ? key.slice(annotationPrefix.length) : []))
  for (const name of own) {
    const value = given(name)
    if (value === undefined) continue
    if (forbidden.includes(name)) throw new AnnotationError(name, value, 'raw configuration is not allowed')
    if (missing.test(name) && !/^(false|off)$/i.test(value)) throw new AnnotationError(name, value, 'is not supported')
  }
  asked.clear()
  const location: LocationSettings = {
    useRegex: flag(given, 'use-regex', false),
    rewriteTarget: readRewriteTarget(given('rewrite-target')),
    sslRedirect: flag(given, 'ssl-redirect', true),
    forceSslRedirect: flag(given, 'force-ssl-redirect', false),
    backendProtocol: readProtocol(given('backend-protocol')),
    redirect: readRedirect(given),
    upstreamHost: plain(given, 'upstream-vhost', /^[\w.:-]+$/),
    forwardedPrefix: plain(given, 'x-forwarded-prefix', /^\/[\w./~-]*$/),
    cors: readCors(given),
    limits: readLimits(given),
    auth: readBasicAuth(given, metadata.namespace ?? ''),
    directives: Object.entries(directives).flatMap(([name, read]) => (given(name) === undefined ? [] : read(given, name))),
  }
  const server = { appRoot: plain(given, 'app-root', /^\/[\w./?=&%~-]*$/) }
  const aliases = list(given('server-alias')?.toLowerCase() ?? '')
  const wrong = aliases.find((alias) => !/^[a-z0-9.*-]+$/.test(alias))
  if (wrong !== undefined) throw new AnnotationError('server-alias', wrong, 'contains characters that are not allowed')
  return { location, server, aliases, withoutEffect: own.filter((name) => !asked.has(name) && !missing.test(name)) }
}

function readRewriteTarget(value: string | undefined): string | undefined {
  if (!value) return undefined
  // Of variables only the groups of the path; nothing that would end the word.
  if (!/^[/\w\-.~%:@!*+,()=&?#$]+$/.test(value) || /\$(?!\d)/.test(value))
    throw new AnnotationError('rewrite-target', value, 'contains characters that are not allowed')
  return value
}

function readProtocol(value: string | undefined): BackendProtocol {
  const protocol = value?.toUpperCase() || 'HTTP'
  if (protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'GRPC' || protocol === 'GRPCS') return protocol
  throw new AnnotationError('backend-protocol', value ?? '', 'not one of HTTP, HTTPS, GRPC, GRPCS')
}

function readRedirect(given: Given): LocationSettings['redirect'] {
  const allowed = /^(https?:\/\/|\/)[\w\-./~%:@!*+,()=&?#$[\]]*$/
  const temporal = plain(given, 'temporal-redirect', allowed)
  if (temporal) return { code: 302, to: temporal }
  const permanent = plain(given, 'permanent-redirect', allowed)
  if (!permanent) return undefined
  const code = Number(given('permanent-redirect-code') ?? 301)
  return { code: code >= 300 && code <= 308 ? code : 301, to: permanent }
}

function matching(pattern: RegExp, reason: string, lines: (value: string) => string[]): Read {
  return (given, annotation) => lines(plain(given, annotation, pattern, reason) ?? '')
}

function seconds(...names: string[]): Read {
  return matching(/^\d+s?$/, 'not a number of seconds', (value) => names.map((name) => `${name} ${value.replace('s', '')}s;`))
}

function allowed(given: Given, annotation: string): string[] {
  return [...blocks(annotation, given(annotation) ?? '').map((range) => `allow ${range};`), 'deny all;']
}

function denied(given: Given, annotation: string): string[] {
  return blocks(annotation, given(annotation) ?? '').map((range) => `deny ${range};`)
}
