/** Pod sandboxes: namespaces, network, shared memory, and the files that all containers of a pod see. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PodSandbox, type PodSandboxConfig, RuntimeError } from '../runtime.ts'
import { newId, type RuntimeContext } from './context.ts'
import { namesIn, recordsIn, writeJson } from './json-file.ts'
import { startPause } from './pause.ts'
import { identify } from './process-identity.ts'
import type { SandboxRecord } from './records.ts'
import { resolvConf } from './resolv-conf.ts'
import { makeNamespaces, mountPointsBelow, namespacePaths, removeNamespaces } from './sandbox-namespaces.ts'

/** crun runs them all; its command line and its bundles are runc's. */
const runtimeHandlers = ['', 'crun', 'runc']

export class Sandboxes {
  readonly #context: RuntimeContext
  readonly #records = new Map<string, SandboxRecord>()
  readonly #stopping = new Map<string, Promise<void>>()

  constructor(context: RuntimeContext) {
    this.#context = context
  }

  /** Finds what an earlier process made. What did not outlive the mount namespace is not ready any more. */
  async load(): Promise<void> {
    const { paths, log, network } = this.#context
    for (const record of recordsIn<SandboxRecord>(paths.sandboxes, 'sandbox.json', (id, error) => log(`the record of sandbox ${id} cannot be read`, error)))
      this.#records.set(record.id, record)
    for (const id of namesIn(paths.sandboxes)) {
      if (this.#records.has(id)) continue
      // It was being made when the process ended: nobody knows of it.
      await removeNamespaces(paths.sandboxState(id), this.#context.run)
      rmSync(paths.sandboxData(id), { recursive: true, force: true })
    }
    for (const record of this.#records.values()) {
      if (record.state === 'notReady') continue
      if (this.#isThere(record)) continue
      log(`sandbox ${record.id} did not outlive the last start`)
      await this.#takeDown(record)
    }
    await network.retain(this.#ready().map((record) => record.id))
  }

  #isThere(record: SandboxRecord): boolean {
    const directory = this.#context.paths.sandboxState(record.id)
    const wanted = namespacePaths(directory, record.config)
    const mounted = new Set(mountPointsBelow(directory))
    const all = [wanted.network, wanted.ipc].every((path) => path === undefined || mounted.has(path))
    return all && hasPause(record)
  }

  #ready(): SandboxRecord[] {
    return [...this.#records.values()].filter((record) => record.state === 'ready' && record.config.network !== 'node')
  }

  async run(config: PodSandboxConfig): Promise<string> {
    const { clock, paths, network, log } = this.#context
    const { runtimeHandler = '' } = config
    if (!runtimeHandlers.includes(runtimeHandler))
      throw new RuntimeError('InvalidArgument', `failed to get sandbox runtime: no runtime for ${JSON.stringify(runtimeHandler)} is configured`)
    const id = newId(clock)
    const data = paths.sandboxData(id)
    const state = paths.sandboxState(id)
    const { metadata, labels, annotations } = config
    const record: SandboxRecord = { id, metadata, state: 'ready', createdAt: clock.now(), labels, annotations, ips: [], config }
    mkdirSync(data, { recursive: true })
    const netnsPath = namespacePaths(state, config).network
    let attached = false
    try {
      writeFileSync(join(data, 'resolv.conf'), resolvConf(config.dns))
      writeFileSync(join(data, 'hostname'), `${config.hostname}\n`)
      await makeNamespaces(state, config, this.#context.run)
      if (netnsPath) {
        attached = true
        const { ips } = await network
          .attach({ id, namespace: metadata.namespace, name: metadata.name, netnsPath, portMappings: config.portMappings })
          .catch((error) => {
            throw new RuntimeError('Unavailable', `failed to setup network for sandbox "${id}": ${error instanceof Error ? error.message : error}`, {
              cause: error,
            })
          })
        record.ips = ips
      }
      if (config.pid === 'pod') record.pausePid = await startPause(this.#context, record)
      this.#records.set(id, record)
      this.#save(record)
      return id
    } catch (error) {
      this.#records.delete(id)
      try {
        if (attached && netnsPath) await network.detach({ id, netnsPath })
        await this.#context.crun.delete(id)
        await removeNamespaces(state, this.#context.run)
      } catch (left) {
        log(`sandbox ${id} could not be cleaned up after its failure`, left)
      }
      rmSync(data, { recursive: true, force: true })
      if (error instanceof RuntimeError) throw error
      throw new RuntimeError('Unknown', `failed to create sandbox: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }

  /** After its containers have been stopped. Idempotent; two at once are one. */
  async stop(id: string): Promise<void> {
    const record = this.#records.get(id)
    if (!record || record.state === 'notReady') return
    const stopping = this.#stopping.get(id) ?? this.#takeDown(record).finally(() => this.#stopping.delete(id))
    this.#stopping.set(id, stopping)
    await stopping
  }

  async #takeDown(record: SandboxRecord): Promise<void> {
    const { network, paths, crun, clock, events } = this.#context
    const state = paths.sandboxState(record.id)
    const netnsPath = namespacePaths(state, record.config).network
    if (netnsPath) await network.detach({ id: record.id, netnsPath })
    if (record.pausePid !== undefined) await crun.delete(record.id)
    await removeNamespaces(state, this.#context.run)
    record.state = 'notReady'
    delete record.pausePid
    try {
      this.#save(record)
    } catch (error) {
      // Its namespaces are gone: a later process sees that too.
      this.#context.log(`the record of sandbox ${record.id} could not be written`, error)
    }
    events.emit({ type: 'sandboxStopped', sandboxId: record.id, at: clock.now() })
  }

  /** After {@link stop} and after its containers were removed. */
  remove(id: string): void {
    if (!this.#records.delete(id)) return
    rmSync(this.#context.paths.sandboxData(id), { recursive: true, force: true })
    this.#context.events.emit({ type: 'sandboxDeleted', sandboxId: id, at: this.#context.clock.now() })
  }

  get(id: string): SandboxRecord | undefined {
    return this.#records.get(id)
  }

  records(): SandboxRecord[] {
    return [...this.#records.values()]
  }

  list(): PodSandbox[] {
    return [...this.#records.values()].map((record) => this.#view(record))
  }

  status(id: string): PodSandbox | undefined {
    const record = this.#records.get(id)
    return record && this.#view(record)
  }

  /** A pause process that was killed takes its sandbox with it. */
  checkPauses(): void {
    for (const record of this.#records.values()) {
      if (record.state !== 'ready' || hasPause(record)) continue
      this.stop(record.id).catch((error) => this.#context.log(`sandbox ${record.id} lost its pause process and could not be taken down`, error))
    }
  }

  /** It counts as lost from the moment its pause process is, so that nobody starts its containers again in what is left. */
  #view(record: SandboxRecord): PodSandbox {
    const { id, metadata, createdAt, labels, annotations, ips } = record
    const lost = record.state === 'ready' && !hasPause(record)
    if (lost) this.#context.clock.after(0, () => this.checkPauses())
    return { id, metadata, state: lost ? 'notReady' : record.state, createdAt, labels, annotations, ips }
  }

  #save(record: SandboxRecord): void {
    writeJson(join(this.#context.paths.sandboxData(record.id), 'sandbox.json'), record)
  }
}

/** True also of a sandbox that needs none. */
const hasPause = ({ pausePid }: SandboxRecord): boolean => pausePid === undefined || identify(pausePid) !== undefined
