/**
 * Names of images → what they are: a file for each name under `references/`, replaced whole. Several processes may
 * add and remove names at the same time; the directory's time says when to read again.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn, readJson, writeJson } from '../json-file.ts'
import { fileAge } from './file-age.ts'
import type { ImageRecord } from './image-record.ts'

export class ReferenceIndex {
  readonly #directory: string
  #known = new Map<string, { time: bigint; record: ImageRecord }>()

  constructor(root: string) {
    this.#directory = join(root, 'references')
    mkdirSync(this.#directory, { recursive: true })
  }

  #path(name: string): string {
    return join(this.#directory, `${encodeURIComponent(name)}.json`)
  }

  get(name: string): ImageRecord | undefined {
    return readJson<ImageRecord>(this.#path(name))
  }

  /** `writer` tells one from another that sets the same name at the same time. */
  set(record: ImageRecord, writer: string): void {
    writeJson(this.#path(record.name), record, `.${writer}`)
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true })
  }

  /** What writers that were killed have left. */
  removeUnfinished(age: number): void {
    for (const file of namesIn(this.#directory)) {
      const path = join(this.#directory, file)
      if (file.endsWith('.new') && fileAge(path) > age) rmSync(path, { force: true })
    }
  }

  list(): ImageRecord[] {
    const found = new Map<string, { time: bigint; record: ImageRecord }>()
    for (const file of namesIn(this.#directory)) {
      if (!file.endsWith('.json')) continue
      const path = join(this.#directory, file)
      const time = statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs
      if (time === undefined) continue
      const known = this.#known.get(file)
      if (known?.time === time) {
        found.set(file, known)
        continue
      }
      const record = readJson<ImageRecord>(path)
      if (record) found.set(file, { time, record })
    }
    this.#known = found
    return [...found.values()].map(({ record }) => record)
  }
}
