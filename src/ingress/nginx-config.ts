import type { LocationSettings } from './annotations.ts'
import { corsLines } from './cors.ts'
import { limitLines, limitZones } from './limits.ts'
import type { Location, Model, Site } from './model.ts'
import { literalPattern, quoted, quotedPattern } from './quote.ts'
import { requestLogSettings, toldAs, untold } from './request-log.ts'

export interface ListenSocket {
  address: string
  port: number
}

export interface ConfigOptions {
  http: ListenSocket[]
  https: ListenSocket[]
  /** The port that clients know for HTTPS; appears in redirects unless it is 443. */
  publicHttpsPort: number
  /** Holds nginx's own files. */
  stateDirectory: string
  fallbackCertificate: string
  workers: number
  user: string | undefined
  /** Where nginx says how it is, and which configuration it runs. */
  status: ListenSocket
  /** Answers for upstreams without endpoints. */
  unavailable: ListenSocket
  generation: string
  /** Who knows the names that Services of type ExternalName lead to; what stands in resolv.conf is meant when it is absent. */
  resolver: string | undefined
  /** The addresses nginx asks for an upstream: its endpoints, or what stands for them. */
  servers(upstream: string): string[]
}

/** The whole configuration. Pure: the same model and options give the same text. */
export function nginxConfig(model: Model, options: ConfigOptions): string {
  const sites = [...model.sites]
  if (!sites.some(({ host }) => host === '')) {
    sites.unshift({ host: '', aliases: [], certificate: undefined, tls: false, settings: { appRoot: undefined }, locations: [] })
  }
  return `daemon off;
${options.user ? `user ${options.user};\n` : ''}worker_processes ${options.workers};
worker_rlimit_nofile 16384;
worker_shutdown_timeout 240s;
pid ${quoted(`${options.stateDirectory}/nginx.pid`)};
error_log ${quoted(`${options.stateDirectory}/error.log`)} warn;
events {
  worker_connections 4096;
  multi_accept on;
}
http {
${indent(httpSettings(options))}
${indent(zones(model).join('\n'))}
${indent(model.upstreams.map(({ name }) => upstreamBlock(name, options)).join('\n'))}
${indent(sites.map((site) => serverBlock(site, options)).join('\n'))}
${indent(ownServers(options))}
}
`
}

/** What the limits of the Ingresses are counted in. */
function zones(model: Model): string[] {
  const limited = new Map(model.sites.flatMap(({ locations }) => locations).map(({ ingress, settings }) => [ingress, settings.limits]))
  return [...limited].flatMap(([ingress, limits]) => limitZones(ingress, limits))
}

function httpSettings({ stateDirectory, fallbackCertificate, resolver }: ConfigOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${quoted(`${stateDirectory}/temp-${kind}`)};`)
  return `${temporary.join('\n')}
${requestLogSettings(stateDirectory)}
server_tokens off;
tcp_nopush on;
keepalive_timeout 75s;
keepalive_requests 10000;
client_header_buffer_size 1k;
large_client_header_buffers 4 8k;
client_max_body_size 1m;
server_names_hash_bucket_size 256;
server_names_hash_max_size 4096;
variables_hash_bucket_size 256;
variables_hash_max_size 2048;
types_hash_max_size 2048;
default_type text/html;
ssl_certificate ${quoted(fallbackCertificate)};
ssl_certificate_key ${quoted(fallbackCertificate)};
ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache shared:SSL:10m;
ssl_session_timeout 10m;
map $request_method $backend_kind { default ${kept}; POST ''; PATCH ''; LOCK ''; }
map "$backend_kind:$http_upgrade" $connection_upgrade { default upgrade; '${kept}:' ''; ':' close; }
map $http_host $best_http_host { default $http_host; '' $host; }
map $http_x_request_id $req_id { default $http_x_request_id; '' $request_id; }
proxy_http_version 1.1;
proxy_buffering off;
proxy_buffer_size 4k;
proxy_request_buffering on;
proxy_redirect off;
proxy_connect_timeout 5s;
proxy_send_timeout 60s;
proxy_read_timeout 60s;
proxy_next_upstream error timeout;
proxy_next_upstream_timeout 10s;
proxy_next_upstream_tries 0;
proxy_ssl_server_name on;
proxy_ssl_session_reuse on;${resolver ? `\nresolver ${resolver} valid=5s ipv6=off;` : ''}`
}

const kept = '_kept'

/**
 * Each upstream twice. Over connections that are kept open goes what may be asked again of another endpoint when the
 * one at the other end has just gone: not so a POST, which gets a connection of its own. Kept ones are short-lived,
 * so that an endpoint that is no longer ready loses its traffic soon. A peer that refuses is passed over at once and
 * asked again by the next request: who is gone leaves the list.
 */
function upstreamBlock(name: string, options: ConfigOptions): string {
  const servers = options.servers(name).map((server) => `  server ${server} max_fails=0;`)
  if (servers.length === 0) return ''
  const reuse = ['  keepalive 64;', '  keepalive_requests 1000;', '  keepalive_time 1s;', '  keepalive_timeout 1s;']
  return `upstream ${name} {\n${servers.join('\n')}\n}\nupstream ${name}${kept} {\n${[...servers, ...reuse].join('\n')}\n}`
}

function serverBlock(site: Site, options: ConfigOptions): string {
  const isDefault = site.host === ''
  const suffix = isDefault ? ' default_server' : ''
  const redirect = `https://$host${options.publicHttpsPort === 443 ? '' : `:${options.publicHttpsPort}`}$request_uri`
  const lines = [
    ...options.http.map((socket) => `listen ${listenName(socket)}${suffix};`),
    ...options.https.map((socket) => `listen ${listenName(socket)}${suffix} ssl http2;`),
    untold,
    `server_name ${[isDefault ? '_' : serverName(site.host), ...site.aliases.map(serverName)].join(' ')};`,
  ]
  if (site.certificate) lines.push(`ssl_certificate ${quoted(site.certificate)};`, `ssl_certificate_key ${quoted(site.certificate)};`)
  if (site.settings.appRoot) lines.push(`if ($uri = /) {\n  return 302 $scheme://$http_host${site.settings.appRoot};\n}`)
  const asPatterns = site.locations.some(({ match, settings }) => match === 'regex' || settings.useRegex || settings.rewriteTarget !== undefined)
  for (const location of site.locations) lines.push(...locationBlocks(location, site, asPatterns, redirect, options))
  if (!site.locations.some(({ path, match }) => path === '/' && match !== 'exact' && match !== 'regex')) lines.push(defaultBackend)
  return `server {\n${indent(lines.join('\n'))}\n}`
}

const defaultBackend = `location / {
  default_type text/plain;
  return 404 "default backend - 404";
}`

/** A wildcard stands for one label, as the API says; nginx's own would stand for several. */
function serverName(host: string): string {
  return host.startsWith('*.') ? quotedPattern(`~^[^.]+${literalPattern(host.slice(1))}$`) : host
}

/**
 * nginx prefers the longest prefix to the first, but any pattern to every prefix. So where a site has patterns,
 * prefixes become patterns too, in order of their length.
 */
function locationBlocks(location: Location, site: Site, asPatterns: boolean, redirect: string, options: ConfigOptions): string[] {
  const { match, path } = location
  const body = indent(locationBody(location, site, redirect, options).join('\n'))
  const block = (selector: string) => `location ${selector} {\n${body}\n}`
  const bare = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
  switch (match) {
    case 'exact':
      return [block(`= ${quoted(path)}`)]
    case 'regex':
      return [block(`~* ${quotedPattern(`^${path}`)}`)]
    case 'string-prefix':
      return [block(asPatterns && path !== '/' ? `~ ${quotedPattern(`^${literalPattern(path)}`)}` : quoted(path))]
    case 'prefix': {
      if (path === '/') return [block('/')]
      if (asPatterns) return [block(`~ ${quotedPattern(`^${literalPattern(bare)}(/|$)`)}`)]
      const exactTaken = site.locations.some((other) => other.match === 'exact' && other.path === bare)
      return [...(exactTaken ? [] : [block(`= ${quoted(bare)}`)]), block(quoted(`${bare}/`))]
    }
  }
}

function locationBody(location: Location, site: Site, redirect: string, options: ConfigOptions): string[] {
  const { settings, upstream, external, users } = location
  const lines = [`# ${location.ingress}`, toldAs(site, location), ...settings.directives]
  if (settings.forceSslRedirect || (settings.sslRedirect && site.tls)) {
    if (options.https.length > 0) lines.push(`if ($scheme = http) {\n  return 308 ${redirect};\n}`)
  }
  if (settings.redirect) return [...lines, `return ${settings.redirect.code} ${quoted(settings.redirect.to)};`]
  const isServed = external ? options.resolver !== undefined : upstream !== undefined && options.servers(upstream).length > 0
  if (!isServed || users === 'missing') return [...lines, 'return 503;']
  if (users) lines.push(`auth_basic ${quoted(settings.auth?.realm ?? '')};`, `auth_basic_user_file ${quoted(users.path)};`)
  lines.push(...limitLines(location.ingress, settings.limits), ...(settings.cors ? corsLines(settings.cors) : []))
  if (settings.rewriteTarget !== undefined) {
    const pattern = location.match === 'regex' ? `(?i)^${location.path}` : `^${literalPattern(location.path)}`
    lines.push(`rewrite ${quotedPattern(pattern)} ${quoted(settings.rewriteTarget)} break;`)
  }
  // A name in a variable is looked up when it is asked for, and not once for all.
  if (external) lines.push(`set $external ${quoted(`${external.host}:${external.port}`)};`)
  const isGrpc = settings.backendProtocol.startsWith('GRPC')
  return [
    ...lines,
    ...(isGrpc ? grpcPass(external ? '$external' : String(upstream), settings) : proxyPass(external ? '$external' : `${upstream}$backend_kind`, settings)),
  ]
}

function proxyPass(to: string, settings: LocationSettings): string[] {
  const header = (name: string, value: string) => `proxy_set_header ${name} ${value};`
  return [
    ...forwarded(settings).map(([name, value]) => header(name, value)),
    header('Upgrade', '$http_upgrade'),
    header('Connection', '$connection_upgrade'),
    // A variable that programs take from the environment: never from outside.
    header('Proxy', '""'),
    `proxy_pass ${settings.backendProtocol === 'HTTPS' ? 'https' : 'http'}://${to};`,
  ]
}

function grpcPass(to: string, settings: LocationSettings): string[] {
  const headers = forwarded(settings).map(([name, value]) => `grpc_set_header ${name} ${value};`)
  return [...headers, 'grpc_next_upstream error timeout;', `grpc_pass ${settings.backendProtocol === 'GRPCS' ? 'grpcs' : 'grpc'}://${to};`]
}

/** What the backend is told of the client. What the client itself claims is not passed on as the truth. */
function forwarded({ upstreamHost, forwardedPrefix }: LocationSettings): [string, string][] {
  return [
    ['Host', upstreamHost ?? '$best_http_host'],
    ['X-Request-ID', '$req_id'],
    ['X-Real-IP', '$remote_addr'],
    ['X-Forwarded-For', '$remote_addr'],
    ['X-Forwarded-Host', '$best_http_host'],
    ['X-Forwarded-Port', '$server_port'],
    ['X-Forwarded-Proto', '$scheme'],
    ['X-Forwarded-Scheme', '$scheme'],
    ['X-Scheme', '$scheme'],
    ['X-Original-Forwarded-For', '$http_x_forwarded_for'],
    ...(forwardedPrefix ? ([['X-Forwarded-Prefix', quoted(forwardedPrefix)]] as [string, string][]) : []),
  ]
}

function ownServers({ status, unavailable, generation }: ConfigOptions): string {
  return `server {
  listen ${listenName(status)};
  server_name status;
  access_log off;
  location = /healthz { return 200 ok; }
  location = /generation { return 200 ${generation}; }
  location = /nginx_status { stub_status; }
  location / { return 404; }
}
server {
  listen ${listenName(unavailable)};
  server_name unavailable;
  access_log off;
  location / { return 503; }
}`
}

function listenName({ address, port }: ListenSocket): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
