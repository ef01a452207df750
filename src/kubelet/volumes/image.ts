import type { VolumeKind } from './volume.ts'

/** The content of an image. The runtime mounts it for each container; the image is pulled when the first one starts. */
export const imageVolume: VolumeKind = {
  plugin: 'kubernetes.io~image',
  supports: (volume) => volume.image !== undefined,
  mount: async () => ({ path: '', readOnly: true }),
}
