import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { Secret } from '../apis/core/secret.ts'
import { Service } from '../apis/core/service.ts'
import { EndpointSlice } from '../apis/discovery/endpoint-slice.ts'
import { Ingress } from '../apis/networking/ingress.ts'
import { IngressClass } from '../apis/networking/ingress-class.ts'
import type { Component, ComponentContext } from '../client/component.ts'
import { createEventRecorder, type EventRecorder } from '../client/event-recorder.ts'
import { isApiError } from '../machinery/errors.ts'
import { expositionType } from '../machinery/metrics/exposition.ts'
import { MetricRegistry } from '../machinery/metrics/registry.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Ingress } from '../machinery/schema/generated/types.ts'
import { type RunCommand, runCommand } from '../network/command.ts'
import { type ListenAddress, startHealthServer } from '../network/health-server.ts'
import { serviceKeyOf } from '../network/service-endpoints.ts'
import { acceptIngresses, type TryOut } from './accept-ingresses.ts'
import { BackendSlots } from './backend-slots.ts'
import { userLines } from './basic-auth.ts'
import { buildModel } from './build-model.ts'
import { Certificates } from './certificates.ts'
import { isOurs } from './ingress-class.ts'
import { IngressMetrics } from './ingress-metrics.ts'
import type { Model, Problem } from './model.ts'
import { type ListenSocket, nginxConfig } from './nginx-config.ts'
import { NginxProcess } from './nginx-process.ts'
import { RequestLog } from './request-log.ts'
import { UserFiles } from './user-files.ts'

export interface IngressSocket extends ListenSocket {
  /** A listening socket that is open already, bound to this address. */
  fd?: number
  /** The port that clients know, where it is another. */
  publicPort?: number
}

export interface IngressControllerOptions {
  http: IngressSocket[]
  https: IngressSocket[]
  /** Written into the status of each Ingress: an address or a host name. */
  publishAddress?: string
  /** Configuration, certificates, temporary files. */
  stateDirectory: string
  nginxBinary?: string
  /**
   * `slots` (needs the rights to change this network namespace): the kernel leads nginx to endpoints, and their
   * changes need no reload. `direct`: endpoints stand in the configuration.
   */
  backends?: 'slots' | 'direct'
  workers?: number
  /** The user of nginx's workers. When absent: nginx's own choice if that one can reach the state directory, else root. */
  user?: string
  /** nginx's own page; the port after it answers for upstreams without endpoints. */
  status?: ListenSocket
  /** `/metrics` and `/healthz`; not served when absent. Upstream's port is 10254. */
  metrics?: ListenAddress
  /** The address of the cluster's DNS, which knows where Services of type ExternalName lead; they are not served when it is absent. */
  resolver?: string
  run?: RunCommand
}

/** Runs nginx as the Ingresses say. nginx ends with it. */
export async function startIngressController(context: ComponentContext, options: IngressControllerOptions): Promise<Component> {
  const controller = new IngressController(context, options)
  await controller.start()
  return controller
}

/** Reloads follow each other at this distance at least: each one starts new workers. */
const reloadEveryMs = 250
const retryMs = 2000
/** So long the file of requests may grow before it is read, whether or not somebody asks for metrics. */
const readRequestsMs = 5000

class IngressController implements Component {
  readonly name = 'ingress-nginx'
  readonly #context: ComponentContext
  readonly #options: IngressControllerOptions
  readonly #nginx: NginxProcess
  readonly #slots: BackendSlots | undefined
  readonly #certificates: Certificates
  readonly #userFiles: UserFiles
  /** Secrets that an Ingress wanted users from, whether they are there or not. */
  readonly #usersFrom = new Set<string>()
  readonly #events: EventRecorder
  readonly #defaultUser: string | undefined
  readonly #status: ListenSocket
  readonly #unavailable: ListenSocket
  readonly #stops: (() => unknown)[] = []
  readonly #registry: MetricRegistry
  readonly #metrics: IngressMetrics
  readonly #requests: RequestLog
  readonly #changed = new Set<string>()
  /** What was said about each Ingress, to say it once. */
  readonly #said = new Map<string, string>()
  /** Versions of Ingresses that nginx did not take, and why. */
  readonly #rejected = new Map<string, string>()
  #accepted: readonly V1Ingress[] = []
  #generation = ''
  #lastReload = Number.NEGATIVE_INFINITY
  #wanted = false
  #synced = false
  #stopped = false
  #syncing: Promise<void> | undefined

  constructor(context: ComponentContext, options: IngressControllerOptions) {
    this.#context = context
    this.#options = options
    this.#status = options.status ?? { address: '127.0.0.1', port: 10246 }
    this.#unavailable = { address: this.#status.address, port: this.#status.port + 1 }
    const { clock, log, client } = context
    this.#registry = context.metrics ?? new MetricRegistry()
    this.#metrics = new IngressMetrics(this.#registry)
    this.#requests = new RequestLog(options.stateDirectory, (request) => this.#metrics.told(request))
    const { stateDirectory, nginxBinary = 'nginx', run = runCommand } = options
    const inherited = [...options.http, ...options.https].flatMap(({ fd }) => (fd === undefined ? [] : [fd]))
    this.#nginx = new NginxProcess({ binary: nginxBinary, stateDirectory, inherited, status: this.#status, clock, log })
    this.#certificates = new Certificates(join(stateDirectory, 'certificates'))
    this.#userFiles = new UserFiles(join(stateDirectory, 'users'))
    // Workers keep large bodies in files there.
    this.#defaultUser = process.getuid?.() === 0 && !isOpenToAll(stateDirectory) ? 'root' : undefined
    this.#events = createEventRecorder({ client, clock, log, component: 'nginx-ingress-controller' })
    if ((options.backends ?? 'slots') === 'slots') {
      this.#slots = new BackendSlots({ unavailable: this.#unavailable, stateFile: join(stateDirectory, 'slots.json'), run })
    }
  }

  async start(): Promise<void> {
    await this.#certificates.ensureFallback(this.#context.clock.now())
    // One that runs what is wanted anyway goes on without a reload.
    this.#generation = (await this.#nginx.adopt()) ?? ''
    const { informers } = this.#context
    const ingresses = informers.informer(Ingress)
    const classes = informers.informer(IngressClass)
    const services = informers.informer(Service)
    const slices = informers.informer(EndpointSlice)
    const secrets = informers.informer(Secret)
    slices.addIndex('service', (slice) => [serviceKeyOf(slice) ?? ''])
    this.#stops.push(
      ingresses.onChange(({ object, previous, type }) => {
        // Our own writes of the status change nothing that matters here.
        if (type === 'updated' && previous && sameMeaning(object, previous)) return
        this.#wake(keyOf(object))
        if (type !== 'deleted' && isOurs(object, classes.list())) this.#events.event(object, 'Normal', 'Sync', 'Scheduled for sync')
      }),
      classes.onChange(() => this.#wake()),
      services.onChange(({ object }) => this.#wake(keyOf(object))),
      slices.onChange(() => this.#wake()),
      secrets.onChange(({ object }) => {
        if (object.type === 'kubernetes.io/tls' || this.#usersFrom.has(keyOf(object))) this.#wake(keyOf(object))
      }),
    )
    await this.#servePages()
    const reading = this.#context.clock.every(readRequestsMs, () => this.#requests.read())
    this.#stops.push(() => reading.cancel())
    void Promise.all([ingresses, classes, services, slices, secrets].map((informer) => informer.whenSynced())).then(() => {
      this.#synced = true
      this.#wake()
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#stops.map((stop) => stop()))
    await this.#syncing
    await this.#nginx.stop()
    this.#events.stop()
  }

  async #servePages(): Promise<void> {
    const { metrics } = this.#options
    if (!metrics) return
    const page = async () => {
      this.#requests.read()
      this.#metrics.readStatus((await this.#nginx.status()) ?? '')
      return { type: expositionType, body: this.#registry.text() }
    }
    const healthz = async () => ((await this.#nginx.status()) === undefined ? { status: 500, body: 'nginx does not run\n' } : { body: 'ok' })
    this.#stops.push((await startHealthServer(metrics, { '/metrics': page, '/healthz': healthz })).close)
  }

  #wake(about?: string): void {
    if (about) this.#changed.add(about)
    this.#wanted = true
    if (!this.#syncing && !this.#stopped && this.#synced) this.#syncing = this.#work()
  }

  async #work(): Promise<void> {
    const { clock, log } = this.#context
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false
      // Changes that come in one go are taken together.
      await clock.sleep(0)
      try {
        await this.#sync()
      } catch (error) {
        if (this.#stopped) break
        this.#metrics.failed()
        log.error('could not configure nginx', { error })
        this.#wanted = true
        await clock.sleep(retryMs)
      }
    }
    this.#syncing = undefined
  }

  async #sync(): Promise<void> {
    const { informers, clock, span } = this.#context
    const start = clock.now()
    const about = [...this.#changed]
    const classes = informers.informer(IngressClass).list()
    const ours = informers
      .informer(Ingress)
      .list()
      .filter((ingress) => isOurs(ingress, classes))
    const candidates = ours.filter((ingress) => !this.#rejected.has(versionOf(ingress)))
    const problems: Problem[] = ours.flatMap((ingress) => {
      const reason = this.#rejected.get(versionOf(ingress))
      return reason === undefined ? [] : [{ ingress, message: reason }]
    })
    let built = this.#build(candidates)
    // Endpoints first: nobody waits for nginx because a pod came or went.
    await this.#slots?.load(built.model.upstreams)
    if (built.generation === this.#generation) this.#requests.follow(built.generation, built.model)
    else {
      const accepted = await this.#gate(candidates)
      if (accepted.length < candidates.length) {
        for (const ingress of candidates) {
          const reason = this.#rejected.get(versionOf(ingress))
          if (reason !== undefined) problems.push({ ingress, message: reason })
        }
        built = this.#build(accepted)
      }
      // Without the rejected ones it may be what runs already.
      if (built.generation !== this.#generation) await this.#reload(built)
      span({
        name: 'proxy configured',
        start,
        end: clock.now(),
        about: about.slice(0, 5).join(' '),
        attributes: { sites: built.model.sites.length, upstreams: built.model.upstreams.length },
      })
    }
    for (const key of about) this.#changed.delete(key)
    problems.push(...built.problems)
    this.#report(ours, problems)
    await Promise.all(ours.filter((ingress) => !this.#rejected.has(versionOf(ingress))).map((ingress) => this.#publish(ingress)))
  }

  #build(ingresses: readonly V1Ingress[]): { model: Model; problems: Problem[]; config: string; generation: string } {
    const { informers } = this.#context
    const { model, problems } = buildModel({
      ingresses,
      service: (key) => informers.informer(Service).get(key),
      slices: (key) => informers.informer(EndpointSlice).indexed('service', key),
      certificate: (key) => this.#certificates.file(informers.informer(Secret).get(key), key),
      users: (auth) => {
        this.#usersFrom.add(auth.secret)
        const found = userLines(auth, informers.informer(Secret).get(auth.secret))
        return 'problem' in found ? found : { path: this.#userFiles.file(found.lines) }
      },
    })
    const generation = createHash('sha256').update(this.#text(model, '')).digest('hex').slice(0, 16)
    return { model, problems, generation, config: this.#text(model, generation) }
  }

  #text(model: Model, generation: string): string {
    const { http, https, stateDirectory, workers = 2, user = this.#defaultUser, resolver } = this.#options
    const upstreams = new Map(model.upstreams.map((upstream) => [upstream.name, upstream]))
    const servers = (name: string) => {
      const upstream = upstreams.get(name)
      if (!upstream) return []
      return this.#slots ? this.#slots.servers(upstream) : upstream.endpoints.map(({ address, port }) => `${address}:${port}`)
    }
    return nginxConfig(model, {
      http,
      https,
      publicHttpsPort: https[0]?.publicPort ?? https[0]?.port ?? 443,
      stateDirectory,
      fallbackCertificate: this.#certificates.fallback,
      workers,
      user,
      status: this.#status,
      unavailable: this.#unavailable,
      generation,
      resolver,
      servers,
    })
  }

  /** Leaves out what nginx does not take. */
  async #gate(candidates: readonly V1Ingress[]): Promise<readonly V1Ingress[]> {
    const tryOut = (some: readonly V1Ingress[]) => this.#nginx.test(this.#build(some).config)
    this.#accepted = (await tryOut(candidates)) === undefined ? candidates : await this.#sift(candidates, tryOut)
    return this.#accepted
  }

  async #sift(candidates: readonly V1Ingress[], tryOut: TryOut): Promise<readonly V1Ingress[]> {
    const running = new Set(this.#accepted.map(versionOf))
    const known = candidates.filter((ingress) => running.has(versionOf(ingress)))
    // A Service or Secret may have changed what a known one leads to: then all are tried from nothing.
    const good = (await tryOut(known)) === undefined ? known : []
    const { accepted, rejected } = await acceptIngresses(
      good,
      candidates.filter((ingress) => !good.includes(ingress)),
      tryOut,
    )
    for (const { ingress, reason } of rejected) this.#rejected.set(versionOf(ingress), reason)
    return accepted
  }

  async #reload({ config, generation, model }: { config: string; generation: string; model: Model }): Promise<void> {
    const { clock } = this.#context
    await clock.sleep(Math.max(0, this.#lastReload + reloadEveryMs - clock.monotonic()))
    this.#requests.follow(generation, model)
    await this.#nginx.apply(config, generation)
    this.#lastReload = clock.monotonic()
    this.#generation = generation
    this.#metrics.configured(generation, clock.now())
    this.#metrics.retain(model)
    this.#certificates.retain(new Set(model.sites.flatMap(({ certificate }) => certificate ?? [])))
    const users = model.sites.flatMap(({ locations }) => locations.flatMap((location) => (typeof location.users === 'object' ? location.users.path : [])))
    this.#userFiles.retain(new Set(users))
  }

  /** Says what is wrong, on the object itself, once for as long as it stays the same. */
  #report(ours: readonly V1Ingress[], problems: readonly Problem[]): void {
    const messages = new Map<string, Map<string, string>>()
    for (const { ingress, message, reason = 'Rejected' } of problems) {
      const key = keyOf(ingress)
      messages.set(key, (messages.get(key) ?? new Map<string, string>()).set(message, reason))
    }
    for (const ingress of ours) {
      const key = keyOf(ingress)
      const found = [...(messages.get(key) ?? [])]
      const said = found.join('\n')
      if (this.#said.get(key) === said) continue
      this.#said.set(key, said)
      for (const [message, reason] of found) this.#events.event(ingress, 'Warning', reason, message)
    }
    const present = new Set(ours.map(keyOf))
    for (const key of this.#said.keys()) if (!present.has(key)) this.#said.delete(key)
    const versions = new Set(ours.map(versionOf))
    for (const version of this.#rejected.keys()) if (!versions.has(version)) this.#rejected.delete(version)
  }

  async #publish(ingress: V1Ingress): Promise<void> {
    const { publishAddress } = this.#options
    if (!publishAddress) return
    const wanted = [isIP(publishAddress) ? { ip: publishAddress } : { hostname: publishAddress }]
    const { ip, hostname } = ingress.status?.loadBalancer?.ingress?.[0] ?? {}
    if ((ip ?? hostname) === publishAddress) return
    const at = { namespace: ingress.metadata.namespace, name: ingress.metadata.name }
    try {
      await this.#context.client.patch(Ingress, at, 'merge', { status: { loadBalancer: { ingress: wanted } } }, { subresource: 'status' })
    } catch (error) {
      // Deleted meanwhile: there is nothing left to tell.
      if (!(isApiError(error) && error.code === 404)) throw error
    }
  }
}

/** Whether any user may pass through the directory and all above it. */
function isOpenToAll(directory: string): boolean {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** What is configured depends on this much of an Ingress. */
function versionOf({ metadata, spec }: V1Ingress): string {
  const meaning = JSON.stringify([metadata.uid, metadata.annotations, spec])
  return createHash('sha256').update(meaning).digest('hex')
}

function sameMeaning(a: V1Ingress, b: V1Ingress): boolean {
  return versionOf(a) === versionOf(b)
}
