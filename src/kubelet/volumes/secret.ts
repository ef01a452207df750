import { writeAtomically } from './atomic-writer.ts'
import { secretFiles } from './payloads.ts'
import type { VolumeKind } from './volume.ts'

export const secretVolume: VolumeKind = {
  plugin: 'kubernetes.io~secret',
  supports: (volume) => volume.secret !== undefined,
  async mount({ secret = {} }, context) {
    const { secretName = '', items, optional = false, defaultMode = 0o644 } = secret
    const payload = await secretFiles(context, { name: secretName, items, optional, mode: defaultMode })
    const path = context.directory(this.plugin, true)
    await writeAtomically(context.files, path, payload, context.clock.now(), context.pod.spec.securityContext?.fsGroup)
    return { path, readOnly: true, follows: true }
  },
}
