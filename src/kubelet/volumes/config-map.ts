import { writeAtomically } from './atomic-writer.ts'
import { configMapFiles } from './payloads.ts'
import type { VolumeKind } from './volume.ts'

export const configMapVolume: VolumeKind = {
  plugin: 'kubernetes.io~configmap',
  supports: (volume) => volume.configMap !== undefined,
  async mount({ configMap = {} }, context) {
    const { name = '', items, optional = false, defaultMode = 0o644 } = configMap
    const payload = await configMapFiles(context, { name, items, optional, mode: defaultMode })
    const path = context.directory(this.plugin)
    await writeAtomically(context.files, path, payload, context.clock.now(), context.pod.spec.securityContext?.fsGroup)
    return { path, readOnly: true, follows: true }
  },
}
