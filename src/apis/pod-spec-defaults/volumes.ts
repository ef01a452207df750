import type { V1DownwardAPIVolumeFile, V1Volume } from '../../machinery/schema/generated/types.ts'
import { claimSpecDefaults } from '../core/claim-spec-defaults.ts'
import { canonicalOr } from '../resource-list.ts'
import { defaultPullPolicy } from './image-pull-policy.ts'

/** 0644, in decimal as JSON has it. */
const defaultMode = 420

export function volumeDefaults(volume: V1Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {}
  if (volume.emptyDir?.sizeLimit) volume.emptyDir.sizeLimit = canonicalOr(volume.emptyDir.sizeLimit)
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) if (source) source.defaultMode ??= defaultMode
  for (const item of volume.downwardAPI?.items ?? []) downwardItemDefaults(item)
  for (const source of volume.projected?.sources ?? []) {
    for (const item of source.downwardAPI?.items ?? []) downwardItemDefaults(item)
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
    if (source.podCertificate) source.podCertificate.maxExpirationSeconds ??= 86400
  }
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.ephemeral?.volumeClaimTemplate) claimSpecDefaults(volume.ephemeral.volumeClaimTemplate.spec)
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= 'default'
  if (volume.rbd) {
    volume.rbd.pool ||= 'rbd'
    volume.rbd.user ||= 'admin'
    volume.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= 'ReadWrite'
    volume.azureDisk.kind ??= 'Shared'
    volume.azureDisk.fsType ??= 'ext4'
    volume.azureDisk.readOnly ??= false
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned'
    volume.scaleIO.fsType ||= 'xfs'
  }
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? '')
}

function downwardItemDefaults(item: V1DownwardAPIVolumeFile): void {
  if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
  if (item.resourceFieldRef) item.resourceFieldRef.divisor ??= '0'
}
