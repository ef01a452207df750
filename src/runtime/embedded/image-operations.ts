/** What `skiff image` does, without a running cluster and safely beside one. */
export { type BuildOptions, type BuildProgress, buildImage } from './build/build-image.ts'
export { buildBusyboxImage } from './build/busybox-image.ts'
export { type ImageStore, openImageStore } from './images/image-store.ts'
