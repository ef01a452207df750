/** What nginx is to do, apart from how its configuration is written. */
import type { V1Ingress } from '../machinery/schema/generated/types.ts'
import type { LocationSettings, ServerSettings } from './annotations.ts'

export interface Model {
  sites: Site[]
  upstreams: Upstream[]
}

/** One host; the host of the catch-all site is empty. */
export interface Site {
  host: string
  aliases: string[]
  /** Path of the file with certificate and key; undefined: the fallback certificate, and no redirect to it. */
  certificate: string | undefined
  tls: boolean
  settings: ServerSettings
  locations: Location[]
}

export type Match = 'exact' | 'prefix' | 'string-prefix' | 'regex'

export interface Location {
  match: Match
  path: string
  /** Key of the Ingress that it comes from. */
  ingress: string
  /** Name of an upstream; undefined where there is none to ask: 503. */
  upstream: string | undefined
  /** Asked in place of an upstream: a host by name, as a Service of type ExternalName says. */
  external: { host: string; port: number } | undefined
  /** The file of those who may enter; 'missing' where it should be and is not: 503. */
  users: { path: string } | 'missing' | undefined
  settings: LocationSettings
}

/** A port of a Service, as a backend. */
export interface Upstream {
  name: string
  endpoints: { address: string; port: number }[]
}

/** Something is wrong with an Ingress: it is said on the object, and does not stop the others. */
export interface Problem {
  ingress: V1Ingress
  message: string
  /** Of the event; `Rejected` when absent. */
  reason?: string
}
