/** Removes images that no container uses, the longest unused first, when their disk is fuller than the high threshold. */
import type { Logger } from '../../client/component.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { messageOf } from '../container/start-error.ts'
import type { KubeletEvents } from '../events.ts'
import type { ImageManager } from './image-manager.ts'

export interface ImageCollectorOptions {
  runtime: Runtime
  clock: Clock
  log: Logger
  events: KubeletEvents
  images: ImageManager
  highPercent?: number
  lowPercent?: number
  everySeconds?: number
}

/** An image that was just pulled is not yet in use. */
const minimumAgeMs = 120_000

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
    const { runtime, clock, events, images, highPercent = 85, lowPercent = 80 } = this.#options
    const { capacityBytes, availableBytes } = await runtime.imageFsInfo()
    const all = await runtime.listImages()
    for (const { id } of all) if (!this.#firstSeen.has(id)) this.#firstSeen.set(id, clock.now())
    if (capacityBytes === 0) return 0
    const used = capacityBytes - availableBytes
    const percent = Math.floor((100 * used) / capacityBytes)
    if (percent < highPercent) return 0
    const wanted = used - (capacityBytes * lowPercent) / 100
    const inUse = new Set((await runtime.listContainers()).flatMap(({ image, imageRef }) => [image, imageRef]))
    const lastUsed = (id: string) => images.lastUsed.get(id) ?? this.#firstSeen.get(id) ?? 0
    const candidates = all
      .filter((image) => !image.pinned && ![image.id, ...image.repoTags, ...image.repoDigests].some((name) => inUse.has(name)))
      .filter((image) => clock.now() - Math.max(lastUsed(image.id), this.#firstSeen.get(image.id) ?? 0) >= minimumAgeMs)
      .sort((a, b) => lastUsed(a.id) - lastUsed(b.id))
    let freed = 0
    for (const image of candidates) {
      if (freed >= wanted) break
      await runtime.removeImage(image.id)
      this.#firstSeen.delete(image.id)
      images.lastUsed.delete(image.id)
      freed += image.size
    }
    if (freed < wanted)
      events.node(
        'Warning',
        'FreeDiskSpaceFailed',
        `Failed to garbage collect required amount of images. Attempted to free ${Math.ceil(wanted)} bytes, but only found ${freed} bytes eligible to free.`,
      )
    return freed
  }
}
