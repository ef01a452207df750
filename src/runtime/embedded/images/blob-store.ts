/**
 * Content by digest: `blobs/sha256/<hex>`. A blob is there whole or not at all: it is written beside, synced, and
 * renamed once its digest is right. What a broken download left stays in `partial/` and is taken up again.
 */
import { createReadStream, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../../machinery/clock.ts'
import { isMissing, namesIn } from '../json-file.ts'
import { digestOf, hexOf, isDigest } from './digest.ts'
import { fileAge } from './file-age.ts'

export class BlobStore {
  readonly #directory: string
  readonly #partial: string
  readonly #clock: Clock

  constructor(root: string, clock: Clock) {
    this.#clock = clock
    this.#directory = join(root, 'blobs', 'sha256')
    this.#partial = join(root, 'blobs', 'partial')
    mkdirSync(this.#directory, { recursive: true })
    mkdirSync(this.#partial, { recursive: true })
  }

  path(digest: string): string {
    if (!isDigest(digest)) throw new Error(`not a digest: ${digest}`)
    return join(this.#directory, hexOf(digest))
  }

  /** Where a download of this blob is collected. */
  partialPath(digest: string): string {
    if (!isDigest(digest)) throw new Error(`not a digest: ${digest}`)
    return join(this.#partial, hexOf(digest))
  }

  size(digest: string): number | undefined {
    try {
      return statSync(this.path(digest)).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  has(digest: string): boolean {
    return this.size(digest) !== undefined
  }

  read(digest: string): Buffer {
    return readFileSync(this.path(digest))
  }

  stream(digest: string): Readable {
    return createReadStream(this.path(digest), { highWaterMark: 1 << 20 })
  }

  /** Keeps a small document; returns its digest. */
  async put(content: string | Uint8Array): Promise<string> {
    const digest = digestOf(content)
    if (this.has(digest)) return digest
    const path = `${this.partialPath(digest)}-${this.#clock.uuid()}`
    const file = await open(path, 'w')
    try {
      await file.writeFile(content)
    } finally {
      await file.close()
    }
    await this.adopt(path, digest)
    return digest
  }

  /** Takes over a complete file whose digest was checked by the caller. */
  async adopt(path: string, digest: string): Promise<void> {
    const file = await open(path, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(path, this.path(digest))
  }

  list(): string[] {
    return namesIn(this.#directory).map((hex) => `sha256:${hex}`)
  }

  remove(digest: string): void {
    rmSync(this.path(digest), { force: true })
  }

  /** Removes broken downloads that nobody took up for `age` milliseconds. */
  removePartial(inUse: Set<string>, age: number): void {
    for (const hex of namesIn(this.#partial)) {
      const path = join(this.#partial, hex)
      if (!inUse.has(`sha256:${hex}`) && fileAge(path) > age) rmSync(path, { force: true })
    }
  }
}
