/** Who may call the kubelet: the API server's own certificate, and whom the API server says may (as upstream's webhook mode). */
import type { TLSSocket } from 'node:tls'
import type { Client, ResourceRef } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { KubeObject } from '../../machinery/object.ts'

export interface Caller {
  name: string
  groups: string[]
  uid?: string
}

const reviewOf = (group: string, kind: string, plural: string): ResourceRef<KubeObject> => ({ group, version: 'v1', kind, plural, namespaced: false })
const TokenReview = reviewOf('authentication.k8s.io', 'TokenReview', 'tokenreviews')
const SubjectAccessReview = reviewOf('authorization.k8s.io', 'SubjectAccessReview', 'subjectaccessreviews')

/** How long an answer of the API server is believed. */
const rememberMs = 30_000

export class KubeletAuthorizer {
  readonly #client: Client
  readonly #clock: Clock
  readonly #nodeName: string
  readonly #known = new Map<string, { until: number; answer: Promise<unknown> }>()

  constructor(client: Client, clock: Clock, nodeName: string) {
    this.#client = client
    this.#clock = clock
    this.#nodeName = nodeName
  }

  /** Undefined: nobody that is known. */
  async authenticate(socket: TLSSocket, authorization: string | undefined): Promise<Caller | undefined> {
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate()
      const organizations = subject?.O === undefined ? [] : [subject.O].flat()
      if (subject?.CN) return { name: [subject.CN].flat()[0] ?? '', groups: [...organizations, 'system:authenticated'] }
    }
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
    if (!token) return undefined
    const review = (await this.#remembered(`token ${token}`, () =>
      this.#client.create(TokenReview, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } } as never),
    )) as { status?: { authenticated?: boolean; user?: { username?: string; groups?: string[]; uid?: string } } }
    const user = review.status?.authenticated ? review.status.user : undefined
    return user?.username ? { name: user.username, groups: user.groups ?? [], ...(user.uid ? { uid: user.uid } : {}) } : undefined
  }

  async mayCall(caller: Caller, method: string, path: string): Promise<boolean> {
    if (caller.groups.includes('system:masters')) return true
    const resourceAttributes = { verb: verbOf(method), version: 'v1', resource: 'nodes', subresource: subresourceOf(path), name: this.#nodeName }
    const spec = { user: caller.name, groups: caller.groups, ...(caller.uid ? { uid: caller.uid } : {}), resourceAttributes }
    const review = (await this.#remembered(JSON.stringify(spec), () =>
      this.#client.create(SubjectAccessReview, { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec } as never),
    )) as { status?: { allowed?: boolean } }
    return review.status?.allowed === true
  }

  #remembered(key: string, ask: () => Promise<unknown>): Promise<unknown> {
    const now = this.#clock.now()
    for (const [other, { until }] of this.#known) if (until <= now) this.#known.delete(other)
    const known = this.#known.get(key)
    if (known) return known.answer
    const answer = ask()
    this.#known.set(key, { until: now + rememberMs, answer })
    answer.catch(() => this.#known.delete(key))
    return answer
  }
}

const verbOf = (method: string) => ({ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' })[method] ?? 'get'

function subresourceOf(path: string): string {
  if (path.startsWith('/stats')) return 'stats'
  if (path.startsWith('/metrics')) return 'metrics'
  if (path.startsWith('/logs')) return 'log'
  if (path.startsWith('/healthz')) return 'healthz'
  if (path === '/pods' || path === '/runningpods/') return 'pods'
  return 'proxy'
}
