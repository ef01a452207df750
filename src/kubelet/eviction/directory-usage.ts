/** How much pods keep in directories on the node's disk: walked anew only as often as the walks are cheap. */
import type { Clock } from '../../machinery/clock.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import type { Directories } from '../directories.ts'
import type { NodeFiles } from '../files/node-files.ts'
import { emptyDirVolume } from '../volumes/empty-dir.ts'
import { type DiskUsage, diskDirectories } from './pod-usage.ts'

/** At most this part of the time goes into walking one directory. */
const share = 20

export class DirectoryUsage {
  readonly #options: { files: NodeFiles; directories: Directories; clock: Clock }
  readonly #known = new Map<string, { usage: DiskUsage; staleAt: number }>()

  constructor(options: { files: NodeFiles; directories: Directories; clock: Clock }) {
    this.#options = options
  }

  async of(pod: V1Pod): Promise<ReadonlyMap<string, DiskUsage>> {
    const { directories, files, clock } = this.#options
    const volumes = new Map<string, DiskUsage>()
    for (const { name } of diskDirectories(pod)) {
      const path = directories.volume(pod.metadata.uid, emptyDirVolume.plugin, name)
      const known = this.#known.get(path)
      const start = clock.monotonic()
      if (known && known.staleAt > start) {
        volumes.set(name, known.usage)
        continue
      }
      const usage = await files.usage(path)
      const end = clock.monotonic()
      this.#known.set(path, { usage, staleAt: end + (end - start) * share })
      volumes.set(name, usage)
    }
    return volumes
  }

  /** Forgets all but these pods' directories. */
  retain(pods: readonly V1Pod[]): void {
    const roots = pods.map(({ metadata }) => `${this.#options.directories.pod(metadata.uid)}/`)
    for (const path of this.#known.keys()) if (!roots.some((root) => path.startsWith(root))) this.#known.delete(path)
  }
}
