/**
 * Who calls a component's own server, and whether they may: by a client certificate of the cluster, else the API server
 * says (TokenReview, SubjectAccessReview). Its answers are believed for a while.
 */
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../machinery/clock.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Client, ResourceRef } from './client.ts'

export interface Caller {
  name: string
  groups: string[]
  uid?: string
}

/** As a SubjectAccessReview has it. */
export type AccessAttributes =
  | { resourceAttributes: { verb: string; version: string; resource: string; subresource: string; name: string } }
  | { nonResourceAttributes: { verb: string; path: string } }

const reviewOf = (group: string, kind: string, plural: string): ResourceRef<KubeObject> => ({ group, version: 'v1', kind, plural, namespaced: false })
const TokenReview = reviewOf('authentication.k8s.io', 'TokenReview', 'tokenreviews')
const SubjectAccessReview = reviewOf('authorization.k8s.io', 'SubjectAccessReview', 'subjectaccessreviews')

const rememberMs = 30_000

export const anonymous: Caller = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export class DelegatedAccess {
  readonly #client: Client
  readonly #clock: Clock
  readonly #known = new Map<string, { until: number; answer: Promise<unknown> }>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** {@link anonymous} for who shows nothing; undefined for who shows what nobody knows. */
  async authenticate(socket: TLSSocket, authorization: string | undefined): Promise<Caller | undefined> {
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate()
      const organizations = subject?.O === undefined ? [] : [subject.O].flat()
      if (subject?.CN) return { name: [subject.CN].flat()[0] ?? '', groups: [...organizations, 'system:authenticated'] }
    }
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
    if (!token) return authorization ? undefined : anonymous
    const review = (await this.#remembered(`token ${token}`, () =>
      this.#client.create(TokenReview, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec: { token } } as never),
    )) as { status?: { authenticated?: boolean; user?: { username?: string; groups?: string[]; uid?: string } } }
    const user = review.status?.authenticated ? review.status.user : undefined
    return user?.username ? { name: user.username, groups: user.groups ?? [], ...(user.uid ? { uid: user.uid } : {}) } : undefined
  }

  async may(caller: Caller, attributes: AccessAttributes): Promise<boolean> {
    if (caller.groups.includes('system:masters')) return true
    const spec = { user: caller.name, groups: caller.groups, ...(caller.uid ? { uid: caller.uid } : {}), ...attributes }
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

/** The verb of an HTTP method. */
export const verbOfMethod = (method: string): string => ({ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' })[method] ?? 'get'
