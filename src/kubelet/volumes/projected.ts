import type { V1VolumeProjection } from '../../machinery/schema/generated/types.ts'
import { checkPath, type PayloadFile, writeAtomically } from './atomic-writer.ts'
import { configMapFiles, downwardFiles, secretFiles } from './payloads.ts'
import type { VolumeContext, VolumeKind } from './volume.ts'

/** Several sources in one directory; the token of the service account among them, renewed before it ends. */
export const projectedVolume: VolumeKind = {
  plugin: 'kubernetes.io~projected',
  supports: (volume) => volume.projected !== undefined,
  async mount({ projected = {} }, context) {
    const mode = projected.defaultMode ?? 0o644
    const payload = new Map<string, PayloadFile>()
    let refreshAt: number | undefined
    for (const source of projected.sources ?? []) {
      const part = await filesOf(source, mode, context)
      for (const [path, file] of part.files) payload.set(path, file)
      if (part.refreshAt !== undefined) refreshAt = Math.min(refreshAt ?? Number.POSITIVE_INFINITY, part.refreshAt)
    }
    const path = context.directory(this.plugin, true)
    await writeAtomically(context.files, path, payload, context.clock.now(), context.pod.spec.securityContext?.fsGroup)
    return { path, readOnly: true, follows: true, ...(refreshAt === undefined ? {} : { refreshAt }) }
  },
}

async function filesOf(source: V1VolumeProjection, mode: number, context: VolumeContext): Promise<{ files: Map<string, PayloadFile>; refreshAt?: number }> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source
  if (configMap)
    return { files: await configMapFiles(context, { name: configMap.name ?? '', items: configMap.items, optional: configMap.optional ?? false, mode }) }
  if (secret) return { files: await secretFiles(context, { name: secret.name ?? '', items: secret.items, optional: secret.optional ?? false, mode }) }
  if (downwardAPI) return { files: downwardFiles(context, downwardAPI.items ?? [], mode) }
  if (serviceAccountToken) {
    // A token that is written nowhere need not be made.
    if (!context.files.keeps) return { files: new Map() }
    const { path, audience, expirationSeconds = 3600 } = serviceAccountToken
    const { token, refreshAt } = await context.tokens.get(context.pod, audience, expirationSeconds)
    return { files: new Map([[checkPath(path), { data: Buffer.from(token), ...tokenAccess(context, mode) }]]), refreshAt }
  }
  throw new Error(`projected volume source is not supported: ${Object.keys(source).join(', ')}`)
}

/** A token is for its pod's user alone, unless a group shares the volume or the containers' users differ. */
function tokenAccess({ pod: { spec } }: VolumeContext, mode: number): Pick<PayloadFile, 'mode' | 'owner'> {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const [owner, ...others] = new Set(containers.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser))
  if (owner !== undefined && others.length === 0) return { mode: 0o600, owner }
  return { mode: spec.securityContext?.fsGroup === undefined ? mode : 0o600 }
}
