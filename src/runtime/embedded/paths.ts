/**
 * Where the runtime keeps what. The data directory outlives a reboot: images, records, writable layers. The state
 * directory belongs to the running mount namespace: namespaces, bundles, sockets, exit files; it is best in memory.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export class RuntimePaths {
  readonly images: string
  readonly sandboxes: string
  readonly containers: string
  readonly pauseRoot: string
  readonly exits: string
  readonly sockets: string
  readonly crunRoot: string
  readonly bundles: string
  readonly #state: string

  /** `imagesDir` when several nodes of a machine share their images. */
  constructor(dataDir: string, stateDir: string, imagesDir = join(dataDir, 'images')) {
    this.#state = stateDir
    this.images = imagesDir
    this.sandboxes = join(dataDir, 'sandboxes')
    this.containers = join(dataDir, 'containers')
    this.pauseRoot = join(dataDir, 'pause')
    this.bundles = join(stateDir, 'containers')
    this.exits = join(stateDir, 'exits')
    this.sockets = join(stateDir, 'sockets')
    this.crunRoot = join(stateDir, 'crun')
    for (const directory of [this.images, this.sandboxes, this.containers, this.exits, this.sockets, this.crunRoot]) mkdirSync(directory, { recursive: true })
  }

  sandboxData(id: string): string {
    return join(this.sandboxes, id)
  }

  sandboxState(id: string): string {
    return join(this.#state, 'sandboxes', id)
  }

  /** Record, writable layer, volumes of the image. */
  containerData(id: string): string {
    return join(this.containers, id)
  }

  /** The bundle: `config.json`, root file system, conmon's files. */
  bundle(id: string): string {
    return join(this.bundles, id)
  }

  /** Where the images stand that the container sees as volumes. */
  mountedImages(id: string): string {
    return join(this.bundle(id), 'images')
  }

  rootfs(id: string): string {
    return join(this.bundle(id), 'rootfs')
  }
}
