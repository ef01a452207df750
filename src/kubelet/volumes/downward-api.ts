import { writeAtomically } from './atomic-writer.ts'
import { downwardFiles } from './payloads.ts'
import type { VolumeKind } from './volume.ts'

export const downwardApiVolume: VolumeKind = {
  plugin: 'kubernetes.io~downward-api',
  supports: (volume) => volume.downwardAPI !== undefined,
  async mount({ downwardAPI = {} }, context) {
    const path = context.directory(this.plugin)
    const payload = downwardFiles(context, downwardAPI.items ?? [], downwardAPI.defaultMode ?? 0o644)
    await writeAtomically(context.files, path, payload, context.clock.now(), context.pod.spec.securityContext?.fsGroup)
    return { path, readOnly: true, follows: true }
  },
}
