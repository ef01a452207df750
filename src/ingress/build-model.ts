import type { V1EndpointSlice, V1Ingress, V1IngressBackend, V1Service, V1ServicePort } from '../machinery/schema/generated/types.ts'
import { endpointsOf, takingTraffic } from '../network/service-endpoints.ts'
import { annotationPrefix } from './annotation-values.ts'
import { type Annotations, readAnnotations } from './annotations.ts'
import type { BasicAuth } from './basic-auth.ts'
import type { Location, Match, Model, Problem, Site, Upstream } from './model.ts'

export interface Objects {
  /** Those of this controller. */
  ingresses: readonly V1Ingress[]
  service(key: string): V1Service | undefined
  slices(serviceKey: string): readonly V1EndpointSlice[]
  /** The certificate file of a Secret, or why there is none. */
  certificate(secretKey: string, host: string): { path: string } | { problem: string }
  /** The file of the users in a Secret, or why there is none. */
  users(auth: BasicAuth): { path: string } | { problem: string }
}

/**
 * From the objects to what nginx is to do. The oldest Ingress is first: where two say different things about the
 * same path, it is the one that counts. An Ingress that makes no sense is left out, with the reason.
 */
export function buildModel(objects: Objects): { model: Model; problems: Problem[] } {
  const builder = new ModelBuilder(objects)
  for (const ingress of [...objects.ingresses].sort(byAge)) builder.add(ingress)
  return { model: builder.finish(), problems: builder.problems }
}

function byAge(a: V1Ingress, b: V1Ingress): number {
  const key = ({ metadata }: V1Ingress) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

class ModelBuilder {
  readonly problems: Problem[] = []
  readonly #objects: Objects
  readonly #sites = new Map<string, Site>()
  readonly #upstreams = new Map<string, Upstream>()

  constructor(objects: Objects) {
    this.#objects = objects
  }

  add(ingress: V1Ingress): void {
    let annotations: Annotations
    try {
      annotations = readAnnotations(ingress)
      for (const rule of ingress.spec.rules ?? []) for (const { path } of rule.http?.paths ?? []) checkPath(path ?? '/', annotations)
    } catch (error) {
      this.problems.push({ ingress, message: (error as Error).message })
      return
    }
    for (const name of annotations.withoutEffect) {
      const message = `annotation ${annotationPrefix}${name} has no effect: it is not supported, or goes with another that is not there`
      this.problems.push({ ingress, message, reason: 'Ignored' })
    }
    const { rules = [], defaultBackend } = ingress.spec
    for (const rule of rules) {
      const site = this.#site(rule.host ?? '', annotations)
      for (const { path, pathType, backend } of rule.http?.paths ?? []) {
        this.#location(site, ingress, annotations, matchOf(pathType, path ?? '/', annotations), path || '/', backend)
      }
      if (defaultBackend && !site.locations.some(isRoot)) this.#location(site, ingress, annotations, 'prefix', '/', defaultBackend)
    }
    if (defaultBackend && rules.length === 0) this.#location(this.#site('', annotations), ingress, annotations, 'prefix', '/', defaultBackend)
    this.#tls(ingress)
  }

  finish(): Model {
    for (const site of this.#sites.values()) site.locations = inOrder(site.locations)
    return { sites: [...this.#sites.values()], upstreams: [...this.#upstreams.values()] }
  }

  #site(host: string, { server, aliases }: Annotations): Site {
    const site = this.#sites.get(host) ?? { host, aliases: [], certificate: undefined, tls: false, settings: { appRoot: undefined }, locations: [] }
    this.#sites.set(host, site)
    site.settings.appRoot ??= server.appRoot
    if (host !== '') for (const alias of aliases) if (!site.aliases.includes(alias)) site.aliases.push(alias)
    return site
  }

  #location(site: Site, ingress: V1Ingress, { location: settings }: Annotations, match: Match, path: string, backend: V1IngressBackend): void {
    const key = `${ingress.metadata.namespace}/${ingress.metadata.name}`
    const taken = site.locations.find((other) => other.match === match && other.path === path)
    if (taken) {
      if (taken.ingress !== key)
        this.problems.push({ ingress, message: `host "${site.host}" and path "${path}" is already defined in ingress ${taken.ingress}` })
      return
    }
    const target = settings.redirect ? {} : this.#target(ingress, backend)
    site.locations.push({
      match,
      path,
      ingress: key,
      upstream: target.upstream,
      external: target.external,
      users: this.#users(ingress, settings.auth),
      settings,
    })
  }

  #users(ingress: V1Ingress, auth: BasicAuth | undefined): Location['users'] {
    if (!auth) return undefined
    const found = this.#objects.users(auth)
    if ('path' in found) return found
    this.problems.push({ ingress, message: found.problem })
    return 'missing'
  }

  #target(ingress: V1Ingress, { service: wanted }: V1IngressBackend): { upstream?: string; external?: Location['external'] } {
    const problem = (message: string) => {
      this.problems.push({ ingress, message })
      return {}
    }
    if (!wanted) return problem('a backend that is a resource is not supported')
    const key = `${ingress.metadata.namespace}/${wanted.name}`
    const service = this.#objects.service(key)
    if (!service) return problem(`service "${key}" does not exist`)
    const port = findPort(service, wanted.port ?? {})
    const missing = () => problem(`service "${key}" has no port ${wanted.port?.name ?? wanted.port?.number}`)
    if (service.spec.type === 'ExternalName') {
      // It need not name its ports.
      const number = port?.port ?? wanted.port?.number
      return number === undefined ? missing() : { external: { host: service.spec.externalName ?? '', port: number } }
    }
    return port ? { upstream: this.#upstream(key, service, port) } : missing()
  }

  #upstream(key: string, { metadata }: V1Service, port: V1ServicePort): string {
    // Neither name can hold an underscore, so no two are the same.
    const name = `${metadata.namespace}_${metadata.name}_${port.port}`
    if (!this.#upstreams.has(name)) {
      const endpoints = takingTraffic(endpointsOf(port, this.#objects.slices(key)))
      this.#upstreams.set(name, { name, endpoints: endpoints.map(({ address, port: number }) => ({ address, port: number })) })
    }
    return name
  }

  #tls(ingress: V1Ingress): void {
    const hosts = new Set((ingress.spec.rules ?? []).map((rule) => rule.host ?? ''))
    for (const { hosts: named = [], secretName } of ingress.spec.tls ?? []) {
      for (const host of hosts) {
        if (named.length > 0 ? !named.includes(host) : !secretName) continue
        const site = this.#sites.get(host)
        if (!site) continue
        site.tls = true
        if (!secretName || site.certificate) continue
        const found = this.#objects.certificate(`${ingress.metadata.namespace}/${secretName}`, host)
        if ('path' in found) site.certificate = found.path
        else this.problems.push({ ingress, message: found.problem })
      }
    }
  }
}

function isRoot({ path, match }: Location): boolean {
  return path === '/' && match !== 'exact'
}

function findPort({ spec }: V1Service, wanted: { name?: string; number?: number }): V1ServicePort | undefined {
  return spec.ports?.find((port) => (wanted.name ? port.name === wanted.name : port.port === wanted.number) && (port.protocol ?? 'TCP') === 'TCP')
}

const patternCharacters = /[\\^$*+?()[\]{}|]/

function matchOf(pathType: string, path: string, { location }: Annotations): Match {
  const isPattern = location.useRegex || location.rewriteTarget !== undefined
  // A group in a path is meant as a pattern, whatever type it was given.
  if (isPattern && (pathType === 'ImplementationSpecific' || patternCharacters.test(path))) return 'regex'
  if (pathType === 'Exact') return 'exact'
  return pathType === 'Prefix' ? 'prefix' : 'string-prefix'
}

function checkPath(path: string, { location }: Annotations): void {
  if (!path.startsWith('/') || /[\r\n]/.test(path)) throw new Error(`path ${JSON.stringify(path)} is not one`)
  if (!location.useRegex && location.rewriteTarget === undefined) return
  try {
    new RegExp(path)
  } catch (error) {
    throw new Error(`path ${JSON.stringify(path)} is not a regular expression`, { cause: error })
  }
}

/** Exact before all, then the longest: the order in which nginx must try patterns. */
function inOrder(locations: Location[]): Location[] {
  const rank = ({ match }: Location) => (match === 'exact' ? 0 : 1)
  return [...locations].sort((a, b) => rank(a) - rank(b) || b.path.length - a.path.length || (a.path < b.path ? -1 : 1))
}
