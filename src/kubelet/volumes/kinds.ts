import type { V1Volume } from '../../machinery/schema/generated/types.ts'
import { configMapVolume } from './config-map.ts'
import { downwardApiVolume } from './downward-api.ts'
import { emptyDirVolume } from './empty-dir.ts'
import { hostPathVolume } from './host-path.ts'
import { imageVolume } from './image.ts'
import { persistentVolumeClaimVolume } from './persistent-volume-claim.ts'
import { projectedVolume } from './projected.ts'
import { secretVolume } from './secret.ts'
import type { VolumeKind } from './volume.ts'

/** Every kind of volume that this kubelet can mount. */
const volumeKinds: readonly VolumeKind[] = [
  emptyDirVolume,
  configMapVolume,
  secretVolume,
  projectedVolume,
  downwardApiVolume,
  persistentVolumeClaimVolume,
  hostPathVolume,
  imageVolume,
]

export const kindOf = (volume: V1Volume): VolumeKind | undefined => volumeKinds.find((one) => one.supports(volume))
