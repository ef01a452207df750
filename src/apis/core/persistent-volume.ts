import { timestamp } from '../../machinery/clock.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import type { V1PersistentVolume, V1PersistentVolumeSpec } from '../../machinery/schema/generated/types.ts'
import { changes } from '../changes.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { sameJson } from '../equality.ts'
import { immutable } from '../immutable.ts'
import { validateNodeSelector } from '../pod-spec-validation/affinity.ts'
import { canonicalAmounts, quantityOrNothing } from '../resource-list.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { accessModesText, validateAccessModes } from './access-modes.ts'

const reclaimPolicies = ['Delete', 'Recycle', 'Retain']
/** Fields of the spec beside the one that says what kind of storage it is. */
const common = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

const status = statusSubresource<V1PersistentVolume>()

export const PersistentVolume = defineResource<V1PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  model: 'V1PersistentVolume',
  subresources: [
    {
      ...status,
      prepareForUpdate(draft, stored, context) {
        status.prepareForUpdate?.(draft, stored, context)
        if (draft.status && draft.status.phase !== stored.status?.phase) draft.status.lastPhaseTransitionTime = timestamp(context.now)
      },
    },
  ],
  columns: [
    nameColumn,
    text('Capacity', (volume) => volume.spec.capacity?.storage ?? '0'),
    text('Access Modes', (volume) => accessModesText(volume.spec.accessModes)),
    text('Reclaim Policy', (volume) => volume.spec.persistentVolumeReclaimPolicy ?? ''),
    text('Status', (volume) => (volume.metadata.deletionTimestamp ? 'Terminating' : (volume.status?.phase ?? ''))),
    text('Claim', ({ spec: { claimRef } }) => (claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '')),
    text('StorageClass', (volume) => volume.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? volume.spec.storageClassName ?? ''),
    text('VolumeAttributesClass', (volume) => volume.spec.volumeAttributesClassName || '<unset>'),
    text('Reason', (volume) => volume.status?.reason ?? ''),
    ageColumn,
    wide(text('VolumeMode', (volume) => volume.spec.volumeMode ?? '<unset>')),
  ],
  applyDefaults(volume) {
    volume.spec ??= {}
    volume.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    volume.spec.volumeMode ??= 'Filesystem'
    if (volume.spec.hostPath) volume.spec.hostPath.type ??= ''
    canonicalAmounts(volume.spec.capacity)
    volume.status ??= {}
    volume.status.phase ||= 'Pending'
  },
  prepareForCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(now) }
  },
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => validateVolumeSpec(spec, 'spec'),
  validateUpdate(draft, stored) {
    const errors = validateVolumeSpec(draft.spec, 'spec')
    const [now, before] = [sourceOf(draft.spec), sourceOf(stored.spec)]
    if (!sameJson(now, before))
      errors.push(
        forbiddenField('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${changes(before, now).join('\n')}\n`),
      )
    errors.push(...immutable('spec.volumeMode', draft.spec.volumeMode, stored.spec.volumeMode))
    if (stored.spec.nodeAffinity && !sameJson(draft.spec.nodeAffinity, stored.spec.nodeAffinity))
      errors.push(invalidValue('spec.nodeAffinity', draft.spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA'))
    return errors
  },
})

const sourceOf = (spec: V1PersistentVolumeSpec): Record<string, unknown> => Object.fromEntries(Object.entries(spec).filter(([field]) => !common.has(field)))

function validateVolumeSpec(spec: V1PersistentVolumeSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!spec.accessModes?.length) errors.push(required(`${at}.accessModes`))
  errors.push(...validateAccessModes(spec.accessModes, `${at}.accessModes`))
  const capacity = spec.capacity ?? {}
  if (Object.keys(capacity).length === 0) errors.push(required(`${at}.capacity`))
  else if (!('storage' in capacity) || Object.keys(capacity).length > 1) errors.push(notSupported(`${at}.capacity`, capacity, ['storage']))
  for (const [name, amount] of Object.entries(capacity))
    if ((quantityOrNothing(amount)?.nanos ?? 0n) <= 0n) errors.push(invalidValue(`${at}.capacity[${name}]`, amount, 'must be greater than zero'))
  const policy = spec.persistentVolumeReclaimPolicy
  if (policy && !reclaimPolicies.includes(policy)) errors.push(notSupported(`${at}.persistentVolumeReclaimPolicy`, policy, reclaimPolicies))
  const kinds = Object.keys(sourceOf(spec))
  if (kinds.length === 0) errors.push(required(at, 'must specify a volume type'))
  for (const kind of kinds.slice(1)) errors.push(forbiddenField(`${at}.${kind}`, 'may not specify more than 1 volume type'))
  if (spec.hostPath && !spec.hostPath.path) errors.push(required(`${at}.hostPath.path`))
  if (spec.hostPath?.path?.split('/').includes('..')) errors.push(invalidValue(`${at}.hostPath.path`, spec.hostPath.path, "must not contain '..'"))
  if (spec.hostPath?.path === '/' && policy === 'Recycle')
    errors.push(forbiddenField(`${at}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"))
  if (spec.local && !spec.local.path) errors.push(required(`${at}.local.path`))
  if (spec.local && !spec.nodeAffinity?.required) errors.push(required(`${at}.nodeAffinity`, 'Local volume requires node affinity'))
  if (spec.nfs && !spec.nfs.server) errors.push(required(`${at}.nfs.server`))
  if (spec.csi && !spec.csi.driver) errors.push(required(`${at}.csi.driver`))
  if (spec.csi && !spec.csi.volumeHandle) errors.push(required(`${at}.csi.volumeHandle`))
  if (spec.nodeAffinity) {
    if (spec.nodeAffinity.required) errors.push(...validateNodeSelector(spec.nodeAffinity.required, `${at}.nodeAffinity.required`))
    else errors.push(required(`${at}.nodeAffinity.required`, 'must specify required node constraints'))
  }
  if (spec.storageClassName)
    for (const message of isDnsSubdomain(spec.storageClassName)) errors.push(invalidValue(`${at}.storageClassName`, spec.storageClassName, message))
  if (spec.volumeMode !== undefined && !['Block', 'Filesystem'].includes(spec.volumeMode))
    errors.push(notSupported(`${at}.volumeMode`, spec.volumeMode, ['Block', 'Filesystem']))
  return errors
}
