import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PortMapping } from '../runtime/runtime.ts'

/** What the network remembers of a sandbox. */
export interface SandboxRecord {
  id: string
  namespace: string
  name: string
  address: string
  /** Name of the node's end of the sandbox's cable. */
  link: string
  hostPorts: PortMapping[]
}

/**
 * One file for each sandbox, written before the address is used and replaced in one step: what is read after
 * `kill -9` is what was there. A file that cannot be read is dropped, as its sandbox was never finished.
 */
export class SandboxRecords {
  readonly #directory: string
  readonly #records = new Map<string, SandboxRecord>()

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
    for (const file of readdirSync(directory)) {
      const path = join(directory, file)
      const record = file.endsWith('.json') ? read(path) : undefined
      if (record) this.#records.set(record.id, record)
      else rmSync(path, { force: true })
    }
  }

  get(id: string): SandboxRecord | undefined {
    return this.#records.get(id)
  }

  all(): SandboxRecord[] {
    return [...this.#records.values()]
  }

  put(record: SandboxRecord): void {
    const path = this.#path(record.id)
    writeFileSync(`${path}.new`, JSON.stringify(record))
    renameSync(`${path}.new`, path)
    this.#records.set(record.id, record)
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true })
    this.#records.delete(id)
  }

  #path(id: string): string {
    return join(this.#directory, `${encodeURIComponent(id)}.json`)
  }
}

function read(path: string): SandboxRecord | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<SandboxRecord>
    const { id, address, link } = value
    if (!id || !address || !link) return undefined
    return { id, address, link, namespace: value.namespace ?? '', name: value.name ?? '', hostPorts: value.hostPorts ?? [] }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
