/**
 * Says which content is in use, so that collection spares it: a pull or build that is under way (a lease that is
 * renewed while it lasts), or a container (a pin that stays until the container goes). Several processes share
 * the store, seen from different PID namespaces: a lease shows its life by its file's time, never by a process id.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Clock } from '../../../machinery/clock.ts'
import { namesIn, readJson, writeJson } from '../json-file.ts'
import { fileAge } from './file-age.ts'

const renewEvery = 10_000
const deadAfter = 120_000

interface LeaseFile {
  /** Digests of blobs and diff ids of layers. */
  content: string[]
  /** Of a pin: what it lasts as long as, below the store's parent or beside it. */
  holder?: string
  /** Of a pin: the image that the container was made of. */
  image?: string
}

export interface Pin {
  image: string
  content: string[]
  /** The directory of the container's data. */
  holder: string
}

export interface Lease {
  /** Names what its work makes for itself alone; see {@link Leases.lasts}. */
  readonly id: string
  /** Found content may be relied on once this has resolved. */
  add(...content: string[]): Promise<void>
  release(): void
}

export class Leases {
  readonly #root: string
  readonly #directory: string
  readonly #lock: string
  readonly #clock: Clock

  constructor(root: string, clock: Clock) {
    this.#root = root
    this.#directory = join(root, 'leases')
    this.#lock = join(root, 'collecting')
    this.#clock = clock
    mkdirSync(this.#directory, { recursive: true })
  }

  /** For content that is looked for, fetched or made: see {@link Lease.add}. */
  async take(): Promise<Lease> {
    const id = this.#clock.uuid()
    const path = this.#pathOf(id)
    const content = new Set<string>()
    const save = () => writeJson(path, { content: [...content] } satisfies LeaseFile)
    save()
    const renewal = this.#clock.every(renewEvery, save)
    await this.#noCollector()
    return {
      id,
      add: async (...more) => {
        for (const one of more) content.add(one)
        save()
        await this.#noCollector()
      },
      release() {
        renewal.cancel()
        rmSync(path, { force: true })
      },
    }
  }

  #pathOf(id: string): string {
    return join(this.#directory, `work-${id}.json`)
  }

  /** Whether whoever took this lease is still at work. */
  lasts(id: string): boolean {
    return fileAge(this.#pathOf(id)) <= deadAfter
  }

  /** Lasts until {@link unpin}, or until the holder is gone. Whether the content is there is known once this has resolved. */
  async pin(name: string, { image, content, holder }: Pin): Promise<void> {
    writeJson(join(this.#directory, `pin-${name}.json`), { image, content, holder: relative(this.#root, holder) } satisfies LeaseFile)
    await this.#noCollector()
  }

  unpin(name: string): void {
    rmSync(join(this.#directory, `pin-${name}.json`), { force: true })
  }

  /** Ids of the images that containers of any process were made of. */
  pinnedImages(): Set<string> {
    return new Set(this.#valid().flatMap(({ image }) => image ?? []))
  }

  /**
   * Runs `collect` with what is in use; nobody relies on other content meanwhile. It calls `goesOn` between its steps.
   * False when another process collects.
   */
  exclusively(collect: (inUse: Set<string>, goesOn: () => void) => void): boolean {
    if (this.#collecting()) return false
    try {
      writeFileSync(this.#lock, '', { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
    try {
      collect(new Set(this.#valid().flatMap(({ content }) => content)), () => writeFileSync(this.#lock, '.'))
    } finally {
      rmSync(this.#lock, { force: true })
    }
    return true
  }

  #valid(): LeaseFile[] {
    return namesIn(this.#directory).flatMap((name) => {
      if (!name.endsWith('.json')) return []
      const path = join(this.#directory, name)
      const lease = readJson<LeaseFile>(path)
      if (!lease) return []
      const lasts = name.startsWith('pin-') ? lease.holder === undefined || existsSync(join(this.#root, lease.holder)) : fileAge(path) <= deadAfter
      if (!lasts) rmSync(path, { force: true })
      return lasts ? [lease] : []
    })
  }

  async #noCollector(): Promise<void> {
    while (this.#collecting()) await this.#clock.sleep(20)
  }

  /** A collector that was killed leaves its lock: it is broken when it is old. */
  #collecting(): boolean {
    const age = fileAge(this.#lock)
    if (age <= deadAfter) return true
    if (age !== Number.POSITIVE_INFINITY) rmSync(this.#lock, { force: true })
    return false
  }
}
