/** The documents of the OCI image specification and Docker's older forms of them, as far as they are used. */

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: Platform
  annotations?: Record<string, string>
  urls?: string[]
}

export interface Platform {
  architecture: string
  os: string
  variant?: string
}

export interface Manifest {
  schemaVersion: 2
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
  annotations?: Record<string, string>
}

export interface Index {
  schemaVersion: 2
  mediaType?: string
  manifests: Descriptor[]
}

/** What a container of the image starts with. */
export interface ImageSettings {
  User?: string
  ExposedPorts?: Record<string, object>
  Env?: string[]
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  Volumes?: Record<string, object> | null
  WorkingDir?: string
  Labels?: Record<string, string> | null
  StopSignal?: string
}

export interface ImageConfig extends Platform {
  created?: string
  config?: ImageSettings
  rootfs: { type: 'layers'; diff_ids: string[] }
  history?: { created?: string; created_by?: string; comment?: string; empty_layer?: boolean }[]
}

export const isIndex = (document: Manifest | Index): document is Index => 'manifests' in document

export const hostPlatform = (): Platform => ({ os: 'linux', architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch })

/** The manifest for this machine; undefined when the index has none. */
export function choosePlatform(index: Index, wanted: Platform = hostPlatform()): Descriptor | undefined {
  return index.manifests.find(({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture)
}

export type Compression = 'none' | 'gzip' | 'zstd'

/** By the first bytes: media types do not always tell the truth. */
export function compressionOf(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip'
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return 'zstd'
  return 'none'
}
