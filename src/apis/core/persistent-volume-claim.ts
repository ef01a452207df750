import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import { compareQuantities } from '../../machinery/quantity.ts'
import type { V1PersistentVolumeClaim, V1PersistentVolumeClaimSpec } from '../../machinery/schema/generated/types.ts'
import { changes } from '../changes.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { sameJson } from '../equality.ts'
import { canonicalAmounts, quantityOrNothing } from '../resource-list.ts'
import { validateLabelSelector } from '../selector-validation.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { accessModesText, validateAccessModes } from './access-modes.ts'
import { claimSpecDefaults } from './claim-spec-defaults.ts'

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

export const PersistentVolumeClaim = defineResource<V1PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  model: 'V1PersistentVolumeClaim',
  subresources: [statusSubresource()],
  columns: [
    nameColumn,
    text('Status', (claim) => (claim.metadata.deletionTimestamp ? 'Terminating' : (claim.status?.phase ?? ''))),
    text('Volume', (claim) => claim.spec.volumeName ?? ''),
    text('Capacity', (claim) => (claim.spec.volumeName ? (claim.status?.capacity?.storage ?? '0') : '')),
    text('Access Modes', (claim) => (claim.spec.volumeName ? accessModesText(claim.status?.accessModes) : '')),
    text('StorageClass', (claim) => claim.metadata.annotations?.[classAnnotation] ?? claim.spec.storageClassName ?? ''),
    text('VolumeAttributesClass', (claim) => claim.spec.volumeAttributesClassName || '<unset>'),
    ageColumn,
    wide(text('VolumeMode', (claim) => claim.spec.volumeMode ?? '<unset>')),
  ],
  applyDefaults(claim) {
    claim.spec ??= {}
    claimSpecDefaults(claim.spec)
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
    canonicalAmounts(claim.status.capacity)
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' }
  },
  prepareForUpdate: keepStatus,
  validate: (claim) => validateClaimSpec(claim.spec, 'spec'),
  validateUpdate: (draft, stored) => [...validateClaimSpec(draft.spec, 'spec'), ...validateClaimUpdate(draft, stored)],
})

export function validateClaimSpec(spec: V1PersistentVolumeClaimSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!spec.accessModes?.length) errors.push(required(`${at}.accessModes`, 'at least 1 access mode is required'))
  errors.push(...validateLabelSelector(spec.selector, `${at}.selector`), ...validateAccessModes(spec.accessModes, `${at}.accessModes`))
  const storage = spec.resources?.requests?.storage
  if (storage === undefined) errors.push(required(`${at}.resources[storage]`))
  else if ((quantityOrNothing(storage)?.nanos ?? 0n) <= 0n) errors.push(invalidValue(`${at}.resources[storage]`, storage, 'must be greater than zero'))
  if (spec.storageClassName)
    for (const message of isDnsSubdomain(spec.storageClassName)) errors.push(invalidValue(`${at}.storageClassName`, spec.storageClassName, message))
  if (spec.volumeMode !== undefined && !['Block', 'Filesystem'].includes(spec.volumeMode))
    errors.push(notSupported(`${at}.volumeMode`, spec.volumeMode, ['Block', 'Filesystem']))
  return errors
}

/** A claim stays what it asked for; once bound it may grow. Binding sets the volume and a class that was open. */
function validateClaimUpdate(draft: V1PersistentVolumeClaim, stored: V1PersistentVolumeClaim): FieldError[] {
  const bound = stored.status?.phase === 'Bound'
  const munged: V1PersistentVolumeClaimSpec = { ...draft.spec }
  if (!stored.spec.volumeName) munged.volumeName = stored.spec.volumeName
  if (stored.spec.storageClassName === undefined) munged.storageClassName = stored.spec.storageClassName
  if (bound) {
    munged.resources = { ...munged.resources, requests: stored.spec.resources?.requests }
    munged.volumeAttributesClassName = stored.spec.volumeAttributesClassName
  }
  const errors: FieldError[] = []
  if (!sameJson(munged, stored.spec))
    errors.push(
      forbiddenField(
        'spec',
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${changes(stored.spec, munged).join('\n')}\n`,
      ),
    )
  const [now, before] = [draft.spec.resources?.requests?.storage, stored.spec.resources?.requests?.storage]
  if (bound && quantityOrNothing(now) && quantityOrNothing(before) && compareQuantities(now ?? '0', before ?? '0') < 0) {
    // A growth that failed may be taken back as far as what is really there.
    const capacity = stored.status?.capacity?.storage
    if (!capacity || compareQuantities(now ?? '0', capacity) <= 0)
      errors.push(forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  return errors
}
