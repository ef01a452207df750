import { AnnotationError, flag, type Given, list, plain } from './annotation-values.ts'
import { literalPattern, quoted, quotedPattern } from './quote.ts'

/** What a browser is told about requests from pages of other origins. */
export interface Cors {
  /** `*`, or origins, whose first label may be a `*`. */
  origins: string[]
  methods: string
  headers: string
  exposed: string | undefined
  credentials: boolean
  maxAgeSeconds: number
}

const words = /^[A-Za-z0-9_\-,* ]+$/
const origin = /^(https?|[a-z][a-z0-9+.-]*):\/\/(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?$/

/** The `cors-` annotations with ingress-nginx's defaults; undefined unless `enable-cors` is true. */
export function readCors(given: Given): Cors | undefined {
  if (!flag(given, 'enable-cors', false)) return undefined
  const origins = list(given('cors-allow-origin') ?? '*')
  const wrong = origins.find((one) => one !== '*' && one !== 'null' && !origin.test(one))
  if (wrong !== undefined) throw new AnnotationError('cors-allow-origin', wrong, 'not an origin')
  return {
    origins,
    methods: plain(given, 'cors-allow-methods', words) ?? 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
    headers:
      plain(given, 'cors-allow-headers', words) ??
      'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
    exposed: plain(given, 'cors-expose-headers', words),
    credentials: flag(given, 'cors-allow-credentials', true),
    maxAgeSeconds: Number(plain(given, 'cors-max-age', /^\d{1,9}$/, 'not a number') ?? 1728000),
  }
}

/** What the backend says of this itself does not reach the client: two answers to one question are none. */
export function corsLines({ origins, methods, headers, exposed, credentials, maxAgeSeconds }: Cors): string[] {
  const anybody = origins.includes('*')
  const told: [name: string, value: string][] = [
    ['Allow-Origin', '$cors_origin'],
    ['Allow-Credentials', '$cors_credentials'],
    ['Allow-Methods', '$cors_methods'],
    ['Allow-Headers', '$cors_headers'],
    ['Expose-Headers', '$cors_exposed'],
    ['Max-Age', '$cors_age'],
  ]
  const granted = [
    `set $cors_origin ${anybody ? '*' : '$http_origin'};`,
    `set $cors_credentials ${credentials ? 'true' : "''"};`,
    `set $cors_methods ${quoted(methods)};`,
    `set $cors_headers ${quoted(headers)};`,
    `set $cors_exposed ${quoted(exposed ?? '')};`,
    `set $cors_age ${maxAgeSeconds};`,
  ]
  // A header whose value is empty is not sent.
  const withheld = told.map(([, variable]) => `set ${variable} '';`)
  const pattern = quotedPattern(`^(${origins.map(originPattern).join('|')})$`)
  return [
    ...(anybody ? granted : [...withheld, `if ($http_origin ~* ${pattern}) {\n  ${granted.join('\n  ')}\n}`]),
    ...told.map(([name, variable]) => `add_header Access-Control-${name} ${variable} always;`),
    ...told.map(([name]) => `proxy_hide_header Access-Control-${name};`),
    ...(anybody ? [] : ['add_header Vary Origin always;']),
    'if ($request_method = OPTIONS) {\n  return 204;\n}',
  ]
}

function originPattern(one: string): string {
  return literalPattern(one).replace(String.raw`\*`, '[A-Za-z0-9-]+')
}
