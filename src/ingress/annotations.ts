import type { V1Ingress } from '../machinery/schema/generated/types.ts'
import { quoted } from './quote.ts'

export const annotationPrefix = 'nginx.ingress.kubernetes.io/'

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
}

type Read = (value: string) => string[]

/** Thrown for a value that makes no sense; the Ingress is left out and says why. */
export class AnnotationError extends Error {
  constructor(annotation: string, value: string, reason: string) {
    super(`annotation ${annotationPrefix}${annotation}: ${reason}: ${JSON.stringify(value)}`)
    this.name = 'AnnotationError'
  }
}

const size = /^\d+[kKmMgG]?$/
const block = /^[0-9a-fA-F.:]+(\/\d{1,3})?$/

/** Annotations that are one directive each. What a value may be is checked: it goes into the configuration as it is. */
const directives: Record<string, (annotation: string) => Read> = {
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
  'whitelist-source-range': sources,
  'allowlist-source-range': sources,
  'denylist-source-range': matching(/^[0-9a-fA-F.:/, ]+$/, 'not a list of blocks', (value) => list(value).map((range) => `deny ${range};`)),
}

/** Raw configuration from whoever may write an Ingress would be a way around every rule here. */
const forbidden = ['configuration-snippet', 'server-snippet', 'auth-snippet', 'stream-snippet', 'modsecurity-snippet']

export function readAnnotations({ metadata }: V1Ingress): Annotations {
  const given = (name: string) => metadata.annotations?.[annotationPrefix + name]?.trim()
  for (const name of forbidden) if (given(name)) throw new AnnotationError(name, given(name) ?? '', 'raw configuration is not allowed')
  const lines = Object.entries(directives).flatMap(([name, reader]) => {
    const value = given(name)
    return value === undefined || value === '' ? [] : reader(name)(value)
  })
  return {
    location: {
      useRegex: flag('use-regex', given('use-regex'), false),
      rewriteTarget: readRewriteTarget(given('rewrite-target')),
      sslRedirect: flag('ssl-redirect', given('ssl-redirect'), true),
      forceSslRedirect: flag('force-ssl-redirect', given('force-ssl-redirect'), false),
      backendProtocol: readProtocol(given('backend-protocol')),
      redirect: readRedirect(given),
      upstreamHost: plain('upstream-vhost', given('upstream-vhost'), /^[\w.:-]+$/),
      forwardedPrefix: plain('x-forwarded-prefix', given('x-forwarded-prefix'), /^\/[\w./~-]*$/),
      directives: lines,
    },
    server: { appRoot: plain('app-root', given('app-root'), /^\/[\w./?=&%~-]*$/) },
    aliases: list(given('server-alias') ?? '').map((alias) => plain('server-alias', alias.toLowerCase(), /^[a-z0-9.*-]+$/) ?? ''),
  }
}

function flag(name: string, value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined || value === '') return otherwise
  if (/^(true|1|t)$/i.test(value)) return true
  if (/^(false|0|f)$/i.test(value)) return false
  throw new AnnotationError(name, value, 'neither true nor false')
}

function plain(name: string, value: string | undefined, allowed: RegExp): string | undefined {
  if (!value) return undefined
  if (!allowed.test(value)) throw new AnnotationError(name, value, 'contains characters that are not allowed')
  return value
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

function readRedirect(given: (name: string) => string | undefined): LocationSettings['redirect'] {
  const allowed = /^(https?:\/\/|\/)[\w\-./~%:@!*+,()=&?#$[\]]*$/
  const temporal = plain('temporal-redirect', given('temporal-redirect'), allowed)
  if (temporal) return { code: 302, to: temporal }
  const permanent = plain('permanent-redirect', given('permanent-redirect'), allowed)
  if (!permanent) return undefined
  const code = Number(given('permanent-redirect-code') ?? 301)
  return { code: code >= 300 && code <= 308 ? code : 301, to: permanent }
}

function matching(pattern: RegExp, reason: string, lines: Read): (annotation: string) => Read {
  return (annotation) => (value) => {
    if (!pattern.test(value)) throw new AnnotationError(annotation, value, reason)
    return lines(value)
  }
}

function seconds(...names: string[]): (annotation: string) => Read {
  return matching(/^\d+s?$/, 'not a number of seconds', (value) => names.map((name) => `${name} ${value.replace('s', '')}s;`))
}

function sources(annotation: string): Read {
  return (value) => {
    const ranges = list(value)
    const wrong = ranges.find((range) => !block.test(range))
    if (wrong !== undefined) throw new AnnotationError(annotation, value, `not a block of addresses: ${quoted(wrong)}`)
    return [...ranges.map((range) => `allow ${range};`), 'deny all;']
  }
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}
