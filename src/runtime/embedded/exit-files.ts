/** conmon writes a file named after the container, with the exit code, when the container ends. */
import { type FSWatcher, rmSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { namesIn, readText } from './json-file.ts'

export interface Exit {
  exitCode: number
  /** Milliseconds since the epoch. */
  at: number
}

export class ExitFiles {
  readonly #directory: string
  #watcher: FSWatcher | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** `onExit` may hear of one exit twice. */
  watch(onExit: (id: string) => void): void {
    const known = (name: string | null) => {
      if (name && !name.includes('.')) onExit(name)
    }
    this.#watcher = watch(this.#directory, { persistent: false }, (_event, name) => known(name))
    for (const name of namesIn(this.#directory)) known(name)
  }

  close(): void {
    this.#watcher?.close()
  }

  read(id: string): Exit | undefined {
    const path = join(this.#directory, id)
    const text = readText(path)
    if (!text) return undefined
    return { exitCode: Number.parseInt(text, 10), at: Math.floor(statSync(path).mtimeMs) }
  }

  /** When the exit is written down. */
  forget(id: string): void {
    rmSync(join(this.#directory, id), { force: true })
  }
}
