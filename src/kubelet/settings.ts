/** What somebody who starts nodes may say about their kubelets, where it is not as usual. Plain JSON: it goes from process to process. */
import type { EvictionOptions } from './eviction/node-eviction.ts'
import type { ImageCollectionSettings } from './images/image-collector.ts'

export interface KubeletSettings {
  eviction?: Omit<EvictionOptions, 'source'>
  imageCollection?: ImageCollectionSettings
}
