/**
 * What nginx tells of each request that an Ingress had: a line in a file, written by the workers in large pieces and read
 * in large pieces, so that a request costs neither of the two a call of its own. What was read is cut off.
 */
import { createHash } from 'node:crypto'
import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Location, Model, Site } from './model.ts'
import { quoted } from './quote.ts'

/** A location of a host, as requests are told apart. */
export interface Place {
  host: string
  namespace: string
  ingress: string
  path: string
  service: string
}

export interface ToldRequest {
  place: Place
  method: string
  status: string
  /** Seconds; undefined where no endpoint was asked, or none answered. */
  took: number
  connect: number | undefined
  header: number | undefined
  response: number | undefined
  requestBytes: number
  responseBytes: number
}

const variable = '$told'
const fields = [
  'request_method',
  'status',
  'request_time',
  'request_length',
  'bytes_sent',
  'upstream_connect_time',
  'upstream_header_time',
  'upstream_response_time',
]

export const requestLogFile = (stateDirectory: string): string => join(stateDirectory, 'requests.log')

/** For the settings of all servers. */
export const requestLogSettings = (stateDirectory: string): string =>
  `log_format told escape=json '${variable}\\t${fields.map((name) => `$${name}`).join('\\t')}';
access_log ${quoted(requestLogFile(stateDirectory))} told buffer=32k flush=1s if=${variable};`

/** For a server: requests that no location is for are told of by nobody. */
export const untold = `set ${variable} '';`

/** For a location. */
export const toldAs = (site: Site, location: Location): string => `set ${variable} ${idOf(placeOf(site, location))};`

function placeOf({ host }: Site, { ingress: key, path, upstream }: Location): Place {
  const [namespace = '', ingress = ''] = key.split('/')
  // As upstreams are named: the Service's namespace, its name, the port.
  return { host: host || '_', namespace, ingress, path, service: upstream?.split('_')[1] ?? '' }
}

const idOf = (place: Place): string => createHash('sha256').update(Object.values(place).join('\0')).digest('hex').slice(0, 16)

export class RequestLog {
  readonly #file: string
  readonly #onRequest: (request: ToldRequest) => void
  /** Those of the configuration before are told of for as long as its workers live. */
  #before = new Map<string, Place>()
  #places = new Map<string, Place>()
  #generation = ''
  #rest = ''

  constructor(stateDirectory: string, onRequest: (request: ToldRequest) => void) {
    this.#file = requestLogFile(stateDirectory)
    this.#onRequest = onRequest
  }

  follow(generation: string, { sites }: Model): void {
    if (generation === this.#generation) return
    this.#generation = generation
    this.#before = this.#places
    this.#places = new Map(sites.flatMap((site) => site.locations.map((location) => placeOf(site, location))).map((place) => [idOf(place), place]))
  }

  /** Tells what came since it was read last. */
  read(): void {
    let file: number
    try {
      file = openSync(this.#file, 'r+')
    } catch (error) {
      // nginx makes it when it starts.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    try {
      const piece = Buffer.allocUnsafe(256 * 1024)
      let at = 0
      for (let count = readSync(file, piece, 0, piece.length, at); count > 0; count = readSync(file, piece, 0, piece.length, at)) {
        at += count
        this.#take(piece.toString('latin1', 0, count))
      }
      // Workers write at its end, wherever that is. What one writes in this very instant is lost.
      if (at > 0) ftruncateSync(file)
    } finally {
      closeSync(file)
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [id = '', method = '', status = '', took, requestBytes, responseBytes, connect = '', header = '', response = ''] = line.split('\t')
      const place = this.#places.get(id) ?? this.#before.get(id)
      if (!place) continue
      this.#onRequest({
        place,
        method,
        status,
        took: Number(took),
        requestBytes: Number(requestBytes),
        responseBytes: Number(responseBytes),
        connect: lastOf(connect),
        header: lastOf(header),
        response: lastOf(response),
      })
    }
  }
}

/** Of several endpoints that were asked one after the other: `0.001, 0.002`. */
function lastOf(text: string): number | undefined {
  const last = text.split(/[,:] /).at(-1) ?? ''
  return /^\d/.test(last) ? Number(last) : undefined
}
