/**
 * Removes images that no container uses, the longest unused first, when their disk is fuller than the high threshold.
 * What was built or loaded here could not be fetched again: it stays.
 */
import type { Logger } from '../../client/component.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Image, Runtime } from '../../runtime/runtime.ts'
import { messageOf } from '../container/start-error.ts'
import type { KubeletEvents } from '../events.ts'
import type { ImageManager } from './image-manager.ts'

export interface ImageCollectionSettings {
  highPercent?: number
  lowPercent?: number
  everySeconds?: number
  /** An image that was just pulled is not yet in use; 120 when absent. */
  minimumAgeSeconds?: number
}

export interface ImageCollectorOptions extends ImageCollectionSettings {
  runtime: Runtime
  clock: Clock
  log: Logger
  events: KubeletEvents
  images: ImageManager
}

export class ImageCollector {
  readonly #options: ImageCollectorOptions
  readonly #firstSeen = new Map<string, number>()

  constructor(options: ImageCollectorOptions) {
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, everySeconds = 300 } = this.#options
    while (!signal.aborted) {
      await this.collect().catch((error: unknown) => log.warn('images are not collected', { error: messageOf(error) }))
      await clock.sleep(everySeconds * 1000, signal).catch(() => {})
    }
  }

  /** Frees bytes down to the low threshold; returns how many. */
  async collect(): Promise<number> {
    const { runtime, events, highPercent = 85, lowPercent = 80 } = this.#options
    const { capacityBytes, availableBytes } = await runtime.imageFsInfo()
    this.#notice(await runtime.listImages())
    if (capacityBytes === 0) return 0
    const used = capacityBytes - availableBytes
    const percent = Math.floor((100 * used) / capacityBytes)
    if (percent < highPercent) return 0
    const wanted = used - (capacityBytes * lowPercent) / 100
    const freed = await this.free(wanted)
    if (freed < wanted)
      events.node(
        'Warning',
        'FreeDiskSpaceFailed',
        `Failed to garbage collect required amount of images. Attempted to free ${Math.ceil(wanted)} bytes, but only found ${freed} bytes eligible to free.`,
      )
    return freed
  }

  /** Frees as many bytes as are wanted, or all that can be; returns how many. */
  async free(wanted = Number.POSITIVE_INFINITY): Promise<number> {
    const { runtime, clock, log, images, minimumAgeSeconds = 120 } = this.#options
    const inUse = new Set((await runtime.listContainers()).flatMap(({ image, imageRef }) => [image, imageRef]))
    const all = await runtime.listImages()
    this.#notice(all)
    const lastUsed = (id: string) => images.lastUsed.get(id) ?? this.#firstSeen.get(id) ?? clock.now()
    const candidates = all
      .filter((image) => !image.pinned && image.repoDigests.length > 0)
      .filter((image) => ![image.id, ...image.repoTags, ...image.repoDigests].some((name) => inUse.has(name)))
      .filter((image) => clock.now() - lastUsed(image.id) >= minimumAgeSeconds * 1000)
      .sort((a, b) => lastUsed(a.id) - lastUsed(b.id))
    let freed = 0
    for (const image of candidates) {
      if (freed >= wanted) break
      try {
        await runtime.removeImage(image.id)
      } catch (error) {
        log.warn('an image cannot be removed', { image: image.id, error: messageOf(error) })
        continue
      }
      this.#firstSeen.delete(image.id)
      images.lastUsed.delete(image.id)
      freed += image.size
    }
    return freed
  }

  #notice(all: readonly Image[]): void {
    const now = this.#options.clock.now()
    for (const { id } of all) if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, now)
  }
}
