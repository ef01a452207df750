import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Files of users and hashed passwords, named after what they hold. nginx's workers read them at each request, as a
 * user of their own: so the files are open to all, in a directory that nobody but root can list.
 */
export class UserFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  file(lines: string): string {
    mkdirSync(this.#directory, { recursive: true, mode: 0o711 })
    const path = join(this.#directory, createHash('sha256').update(lines).digest('hex'))
    if (!existsSync(path)) writeFileSync(path, lines, { mode: 0o644 })
    return path
  }

  /** Removes the files that no configuration names any more. */
  retain(paths: ReadonlySet<string>): void {
    if (!existsSync(this.#directory)) return
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name)
      if (!paths.has(path)) rmSync(path, { force: true })
    }
  }
}
