/** Sees to it that a container's image is there, by its pull policy; with backoff, and one pull for many who wait. */
import type { Span } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { V1Container, V1Pod, V1Secret } from '../../machinery/schema/generated/types.ts'
import { type Image, type Runtime, RuntimeError } from '../../runtime/runtime.ts'
import { messageOf, StartError } from '../container/start-error.ts'
import type { KubeletEvents } from '../events.ts'
import type { PodMetrics } from '../pod/pod-metrics.ts'
import { RestartBackoff } from '../restart-backoff.ts'
import { referenceError, withDefaultTag } from './image-reference.ts'
import { credentialsFor } from './pull-secrets.ts'

export interface ImageManagerOptions {
  runtime: Runtime
  clock: Clock
  events: KubeletEvents
  /** Pulls side by side; 1 is upstream's serial default. */
  parallelPulls: number
  metrics?: PodMetrics | undefined
}

export class ImageManager {
  readonly #options: ImageManagerOptions
  readonly #backoff: RestartBackoff
  readonly #pulls = new Map<string, Promise<string>>()
  readonly #queue: (() => void)[] = []
  #pulling = 0
  /** When each image was last asked for; for garbage collection. */
  readonly lastUsed = new Map<string, number>()

  constructor(options: ImageManagerOptions) {
    this.#options = options
    this.#backoff = new RestartBackoff(options.clock)
  }

  /** Resolves with the image; throws a {@link StartError}. */
  async ensure(pod: V1Pod, container: V1Container, secrets: readonly V1Secret[], signal: AbortSignal, record: (span: Span) => void): Promise<Image> {
    const { events } = this.#options
    const wanted = container.image ?? ''
    const tell = (type: 'Normal' | 'Warning', reason: string, message: string) => events.container(pod, container, type, reason, message)
    const reference = withDefaultTag(wanted)
    if (!reference) {
      const message = `Failed to apply default image tag ${JSON.stringify(wanted)}: ${referenceError(wanted)}`
      tell('Warning', 'InspectFailed', message)
      throw new StartError('InvalidImageName', message)
    }
    const present = await this.#status(reference, wanted, tell)
    const policy = container.imagePullPolicy ?? (reference.endsWith(':latest') ? 'Always' : 'IfNotPresent')
    if (present && policy !== 'Always') {
      tell('Normal', 'Pulled', `Container image ${JSON.stringify(wanted)} already present on machine and can be accessed by the pod`)
      return this.#used(present)
    }
    if (policy === 'Never') {
      const message = `Container image ${JSON.stringify(wanted)} is not present with pull policy of Never`
      tell('Warning', 'ErrImageNeverPull', message)
      throw new StartError('ErrImageNeverPull', message)
    }
    const key = `${pod.metadata.uid}_${wanted}`
    if (this.#backoff.remainingSinceUpdate(key) > 0) {
      tell('Normal', 'BackOff', `Back-off pulling image ${JSON.stringify(wanted)}`)
      throw new StartError('ImagePullBackOff', this.#backoffMessage(key, wanted))
    }
    tell('Normal', 'Pulling', `Pulling image ${JSON.stringify(wanted)}`)
    return this.#pull(reference, wanted, key, secrets, signal, tell, record)
  }

  /** Milliseconds until a pull for this container is tried again. */
  retryIn(pod: V1Pod, container: V1Container): number {
    return this.#backoff.remainingSinceUpdate(`${pod.metadata.uid}_${container.image ?? ''}`)
  }

  forget(uid: string): void {
    this.#backoff.forget(`${uid}_`)
    for (const key of this.#failures.keys()) if (key.startsWith(`${uid}_`)) this.#failures.delete(key)
  }

  readonly #failures = new Map<string, string>()

  #backoffMessage(key: string, wanted: string): string {
    const failure = this.#failures.get(key)
    return `Back-off pulling image ${JSON.stringify(wanted)}${failure ? `: ${failure}` : ''}`
  }

  async #status(reference: string, wanted: string, tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void): Promise<Image | undefined> {
    try {
      return await this.#options.runtime.imageStatus(reference)
    } catch (error) {
      const message = `Failed to inspect image ${JSON.stringify(wanted)}: ${messageOf(error)}`
      tell('Warning', 'InspectFailed', message)
      throw new StartError('ImageInspectError', message)
    }
  }

  async #pull(
    reference: string,
    wanted: string,
    key: string,
    secrets: readonly V1Secret[],
    signal: AbortSignal,
    tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
    record: (span: Span) => void,
  ): Promise<Image> {
    const { clock, runtime } = this.#options
    const queued = clock.now()
    let started = queued
    try {
      const id = await abandonable(
        this.#shared(reference, secrets, () => {
          started = clock.now()
        }),
        signal,
      )
      const image = await runtime.imageStatus(id)
      if (!image) throw new RuntimeError('ErrImagePull', `image ${JSON.stringify(id)} was pulled but is not there`)
      const end = clock.now()
      this.#options.metrics?.pulled(image.size, end - started)
      record({ name: 'pull image', start: queued, end, about: wanted, attributes: { bytes: image.size } })
      tell(
        'Normal',
        'Pulled',
        `Successfully pulled image ${JSON.stringify(wanted)} in ${duration(end - started)} (${duration(end - queued)} including waiting). Image size: ${image.size} bytes.`,
      )
      return this.#used(image)
    } catch (error) {
      if (signal.aborted) throw error
      const message = messageOf(error)
      tell('Warning', 'Failed', `Failed to pull image ${JSON.stringify(wanted)}: ${message}`)
      record({ name: 'pull image', start: queued, end: clock.now(), about: wanted, attributes: { error: message } })
      this.#backoff.next(key, clock.now())
      const reason = error instanceof RuntimeError && ['RegistryUnavailable', 'InvalidImageName'].includes(error.code) ? error.code : 'ErrImagePull'
      this.#failures.set(key, `${reason}: ${message}`)
      throw new StartError(reason, message, { cause: error })
    }
  }

  /** Who waits for the same image with the same secrets shares one pull; it goes on when one of them gives up. */
  #shared(reference: string, secrets: readonly V1Secret[], onStart: () => void): Promise<string> {
    const key = `${reference} ${secrets.map((secret) => `${secret.metadata.uid}:${secret.metadata.resourceVersion}`).join()}`
    const known = this.#pulls.get(key)
    if (known) return known
    const pull = this.#inTurn(async () => {
      onStart()
      return this.#withEachCredential(reference, secrets)
    }).finally(() => this.#pulls.delete(key))
    this.#pulls.set(key, pull)
    return pull
  }

  async #withEachCredential(reference: string, secrets: readonly V1Secret[]): Promise<string> {
    const { runtime } = this.#options
    const credentials = credentialsFor(reference, secrets)
    if (credentials.length === 0) return runtime.pullImage(reference, undefined)
    let failure: unknown
    for (const auth of credentials) {
      try {
        return await runtime.pullImage(reference, auth)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pulling >= this.#options.parallelPulls) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#pulling++
    try {
      return await work()
    } finally {
      this.#pulling--
      this.#queue.shift()?.()
    }
  }

  #used(image: Image): Image {
    this.lastUsed.set(image.id, this.#options.clock.now())
    return image
  }
}

/** As Go writes a duration rounded to milliseconds: `850ms`, `1.25s`, `1m2.5s`. */
function duration(ms: number): string {
  const whole = Math.round(ms)
  if (whole < 1000) return whole === 0 ? '0s' : `${whole}ms`
  const minutes = Math.floor(whole / 60_000)
  const seconds = `${Number(((whole % 60_000) / 1000).toFixed(3))}s`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
