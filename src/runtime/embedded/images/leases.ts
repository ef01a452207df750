/**
 * Says which content is in use, so that collection spares it: a pull or build that is under way (a lease that is
 * renewed while it lasts), or a container (a pin that stays until the container goes). Several processes share
 * the store, seen from different PID namespaces: a lease shows its life by its file's time, never by a process id.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../machinery/clock.ts'
import { namesIn, readJson, writeJson } from '../json-file.ts'
import { fileAge } from './file-age.ts'

const renewEvery = 10_000
const deadAfter = 120_000

interface LeaseFile {
  /** Digests of blobs and diff ids of layers. */
  content: string[]
  permanent: boolean
}

export interface Lease {
  add(...content: string[]): void
  release(): void
}

export class Leases {
  readonly #directory: string
  readonly #lock: string
  readonly #clock: Clock

  constructor(root: string, clock: Clock) {
    this.#directory = join(root, 'leases')
    this.#lock = join(root, 'collecting')
    this.#clock = clock
    mkdirSync(this.#directory, { recursive: true })
  }

  /** Content may be looked for, and found content relied on, once this has resolved. */
  async take(): Promise<Lease> {
    const path = join(this.#directory, `work-${this.#clock.uuid()}.json`)
    const content = new Set<string>()
    const save = () => writeJson(path, { content: [...content], permanent: false } satisfies LeaseFile)
    save()
    const renewal = this.#clock.every(renewEvery, save)
    while (this.#collecting()) await this.#clock.sleep(20)
    return {
      add(...more) {
        for (const one of more) content.add(one)
        save()
      },
      release() {
        renewal.cancel()
        rmSync(path, { force: true })
      },
    }
  }

  pin(name: string, content: string[]): void {
    writeJson(join(this.#directory, `pin-${name}.json`), { content, permanent: true } satisfies LeaseFile)
  }

  unpin(name: string): void {
    rmSync(join(this.#directory, `pin-${name}.json`), { force: true })
  }

  /** Forgets the pins of all others. */
  retainPins(names: Set<string>): void {
    for (const file of namesIn(this.#directory)) {
      const name = /^pin-(.+)\.json$/.exec(file)?.[1]
      if (name && !names.has(name)) this.unpin(name)
    }
  }

  /** Runs `collect` with what is in use; nobody takes a lease meanwhile. False when another process collects. */
  exclusively(collect: (inUse: Set<string>) => void): boolean {
    if (this.#collecting()) return false
    try {
      writeFileSync(this.#lock, '', { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
    try {
      collect(this.#inUse())
    } finally {
      rmSync(this.#lock, { force: true })
    }
    return true
  }

  #inUse(): Set<string> {
    const all = new Set<string>()
    for (const name of namesIn(this.#directory)) {
      if (!name.endsWith('.json')) continue
      const path = join(this.#directory, name)
      const lease = readJson<LeaseFile>(path)
      if (!lease) continue
      if (!lease.permanent && fileAge(path) > deadAfter) rmSync(path, { force: true })
      else for (const one of lease.content) all.add(one)
    }
    return all
  }

  /** A collector that was killed leaves its lock: it is broken when it is old. */
  #collecting(): boolean {
    const age = fileAge(this.#lock)
    if (age <= deadAfter) return true
    if (age !== Number.POSITIVE_INFINITY) rmSync(this.#lock, { force: true })
    return false
  }
}
