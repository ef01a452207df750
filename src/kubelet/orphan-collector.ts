/** Ends and removes what belongs to pods that are no longer there: after a restart nobody else knows of them. */
import { join } from 'node:path'
import type { PodServices } from './pod/pod-services.ts'
import { removeTraces } from './pod/pod-workers.ts'

export interface OrphanOptions {
  memoryDirectory: string | undefined
  isKnown(uid: string): boolean
  everyMs: number
}

export class OrphanCollector {
  readonly #services: PodServices
  readonly #options: OrphanOptions

  constructor(services: PodServices, options: OrphanOptions) {
    this.#services = services
    this.#options = options
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#services
    while (!signal.aborted) {
      await this.collect().catch((error: unknown) => log.warn('orphans are not removed yet', { error }))
      await clock.sleep(this.#options.everyMs, signal).catch(() => {})
    }
  }

  async collect(): Promise<void> {
    const { cache, cgroups, files, directories, volumes } = this.#services
    const { isKnown, memoryDirectory } = this.#options
    const uids = new Set([
      ...cache.uids(),
      ...(await files.list(directories.pods)),
      ...(memoryDirectory ? await files.list(memoryDirectory) : []),
      ...(await cgroups.podUids()),
    ])
    for (const uid of uids) {
      if (isKnown(uid)) continue
      await this.#endContainers(uid)
      await volumes.unmountAll(uid)
      await cgroups.removePod(uid)
    }
    for (const name of await files.list(directories.logs)) {
      const uid = name.slice(name.lastIndexOf('_') + 1)
      if (!isKnown(uid) && cache.get(uid).sandboxes.length === 0) await files.remove(join(directories.logs, name))
    }
  }

  async #endContainers(uid: string): Promise<void> {
    const { cache, runtime, log } = this.#services
    const { sandboxes, containers } = cache.get(uid)
    const [sandbox] = sandboxes
    if (!sandbox) return
    log.info('a pod that is gone still has containers: they end', { pod: sandbox.metadata.name, namespace: sandbox.metadata.namespace })
    await Promise.all(containers.map((container) => runtime.stopContainer(container.id, 1)))
    for (const one of sandboxes) await runtime.stopPodSandbox(one.id)
    await removeTraces(this.#services, { uid, namespace: sandbox.metadata.namespace, name: sandbox.metadata.name })
  }
}
