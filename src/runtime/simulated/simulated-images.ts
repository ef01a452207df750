import { createHash } from 'node:crypto'
import type { Clock } from '../../machinery/clock.ts'
import { type Image, type RegistryAuth, RuntimeError } from '../runtime.ts'

/** What a pull of an image does; `undefined`: there at once, as if it had always been. */
export type PullOf = (reference: string, auth: RegistryAuth | undefined) => { takesMs?: number; size?: number; error?: RuntimeError }

const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** The repository of a reference, without tag or digest. */
const repository = (reference: string) => reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '')

/** Images that have names and sizes but no content. */
export class SimulatedImages {
  readonly #images = new Map<string, Image>()
  readonly #clock: Clock
  readonly #pull: PullOf | undefined

  constructor(clock: Clock, pull: PullOf | undefined) {
    this.#clock = clock
    this.#pull = pull
  }

  list(): Image[] {
    return [...new Set(this.#images.values())]
  }

  status(reference: string): Image | undefined {
    const known = this.#images.get(reference)
    if (known || this.#pull) return known
    return reference.startsWith('sha256:') ? undefined : this.#add(reference, 1_000_000)
  }

  async pull(reference: string, auth: RegistryAuth | undefined, signal?: AbortSignal): Promise<string> {
    const { takesMs = 0, size = 1_000_000, error } = this.#pull?.(reference, auth) ?? {}
    if (takesMs > 0) await this.#clock.sleep(takesMs, signal)
    if (error) throw error
    return this.#add(reference, size).id
  }

  remove(reference: string): void {
    const image = this.#images.get(reference)
    if (!image) throw new RuntimeError('NotFound', `image ${JSON.stringify(reference)} not found`)
    for (const [key, other] of this.#images) if (other === image) this.#images.delete(key)
  }

  #add(reference: string, size: number): Image {
    const id = digest(reference)
    const image: Image = {
      id,
      repoTags: reference.includes('@') ? [] : [reference],
      repoDigests: [`${repository(reference)}@${digest(`manifest of ${reference}`)}`],
      size,
      user: {},
      pinned: false,
    }
    this.#images.set(reference, image)
    this.#images.set(id, image)
    return image
  }
}
