/** What `skiff image` does, without a running cluster and safely beside one. */
export { type BuildOptions, type BuildProgress, buildImage } from './build/build-image.ts'
export { buildBusyboxImage } from './build/busybox-image.ts'
export { loadImages } from './images/archive/load.ts'
export { saveImages } from './images/archive/save.ts'
export { type ImageStore, openImageStore } from './images/image-store.ts'
export { type PullOptions, pullImage } from './images/registry/pull.ts'
export type { RegistryConfig } from './images/registry/registry-config.ts'
