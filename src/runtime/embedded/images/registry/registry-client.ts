/** The reading half of the OCI distribution protocol, against one repository. */
import type { Clock } from '../../../../machinery/clock.ts'
import { type RegistryAuth, RuntimeError } from '../../../runtime.ts'
import { mediaTypes } from '../manifest.ts'
import { type ImageReference, repositoryName } from '../reference.ts'
import { Authorizer, parseChallenge } from './authorization.ts'
import { endpointsOf, type RegistryConfig } from './registry-config.ts'
import { failedRequest, passesByItself, TransientError } from './transient-error.ts'

const accepted = [mediaTypes.index, mediaTypes.dockerIndex, mediaTypes.manifest, mediaTypes.dockerManifest].join(', ')
const attempts = 5
const firstPause = 200

export class RegistryClient {
  readonly #reference: ImageReference
  readonly #endpoints: string[]
  readonly #authorizer: Authorizer
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined

  constructor(reference: ImageReference, config: RegistryConfig, auth: RegistryAuth | undefined, clock: Clock, signal?: AbortSignal) {
    this.#reference = reference
    this.#endpoints = endpointsOf(reference, config)
    this.#authorizer = new Authorizer(auth)
    this.#clock = clock
    this.#signal = signal
  }

  /** `what` is a tag or a digest. */
  async manifest(what: string): Promise<{ content: Buffer; mediaType: string }> {
    return this.retrying(async () => {
      const response = await this.#get(`manifests/${what}`, { accept: accepted })
      const content = await response.arrayBuffer().catch((error: unknown) => {
        this.#signal?.throwIfAborted()
        throw new TransientError(`the connection broke: ${error instanceof Error ? error.message : error}`, { cause: error })
      })
      return { content: Buffer.from(content), mediaType: (response.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '' }
    })
  }

  /** From `offset` on where the registry can; `partial` says whether it did. One attempt: the caller goes on where it broke. */
  async blob(digest: string, offset: number): Promise<{ body: AsyncIterable<Uint8Array>; partial: boolean }> {
    const response = await this.#get(`blobs/${digest}`, offset > 0 ? { range: `bytes=${offset}-` } : {})
    if (!response.body) throw new TransientError('the answer has no body')
    return { body: response.body, partial: response.status === 206 }
  }

  /** Again after a pause while the fault is one that passes. */
  async retrying<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        this.#signal?.throwIfAborted()
        if (error instanceof RuntimeError || attempt === attempts || !(error instanceof TransientError)) throw error
        await this.#clock.sleep(firstPause * 2 ** (attempt - 1), this.#signal)
      }
    }
  }

  /** The first endpoint that has it answers; what the last one says is what is wrong. */
  async #get(path: string, headers: Record<string, string>): Promise<Response> {
    let failure: unknown
    for (const endpoint of this.#endpoints) {
      try {
        return await this.#ask(endpoint, path, headers)
      } catch (error) {
        this.#signal?.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  async #ask(endpoint: string, path: string, headers: Record<string, string>): Promise<Response> {
    const url = `${endpoint}/v2/${this.#reference.repository}/${path}`
    const send = (authorization: string | undefined) => this.#send(url, { ...headers, ...(authorization ? { authorization } : {}) })
    const first = await send(this.#authorizer.known(endpoint))
    if (first.ok) return first
    let failed = { status: first.status, text: (await first.text()).slice(0, 2000) }
    const challenge = first.status === 401 ? parseChallenge(first.headers.get('www-authenticate')) : undefined
    const answer = challenge && (await this.#authorizer.answer(endpoint, challenge, `repository:${this.#reference.repository}:pull`, this.#signal))
    if (answer) {
      const second = await send(answer)
      if (second.ok) return second
      failed = { status: second.status, text: (await second.text()).slice(0, 2000) }
    }
    throw failureOf(failed.status, url, failed.text, this.#reference)
  }

  async #send(url: string, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(url, { headers: { 'user-agent': 'skiff', ...headers }, ...(this.#signal ? { signal: this.#signal } : {}) })
    } catch (error) {
      this.#signal?.throwIfAborted()
      const { message, passes } = failedRequest(url, error)
      if (passes) throw new TransientError(message, { cause: error })
      throw new RuntimeError('ErrImagePull', message, { cause: error })
    }
  }
}

function failureOf(status: number, url: string, text: string, reference: ImageReference): Error {
  const name = `${repositoryName(reference)}:${reference.tag ?? reference.digest}`
  if (status === 404) return new RuntimeError('ErrImagePull', `${name}: not found`)
  if (status === 401 || status === 403)
    return new RuntimeError(
      'ErrImagePull',
      `pull access denied, repository does not exist or may require authorization: server message: ${messageIn(text) ?? 'authorization failed'}`,
    )
  const message = `unexpected status from GET request to ${url}: ${status}${messageIn(text) ? `: ${messageIn(text)}` : ''}`
  return passesByItself(status) ? new TransientError(message) : new RuntimeError('ErrImagePull', message)
}

function messageIn(text: string): string | undefined {
  try {
    const [first] = (JSON.parse(text) as { errors?: { code?: string; message?: string }[] }).errors ?? []
    return first && `${first.code?.toLowerCase() ?? 'unknown'}: ${first.message ?? ''}`
  } catch {
    // Not the protocol's form: there is nothing to show.
    return undefined
  }
}
