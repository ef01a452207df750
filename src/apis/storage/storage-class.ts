import { type FieldError, forbiddenField, invalidValue, notSupported, required, tooLong } from '../../machinery/field-error.ts'
import { isQualifiedName } from '../../machinery/labels.ts'
import type { V1StorageClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { sameMap } from '../equality.ts'
import { immutable } from '../immutable.ts'

const defaultAnnotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']
const reclaimPolicies = ['Delete', 'Retain']
const bindingModes = ['Immediate', 'WaitForFirstConsumer']

export const isDefaultClass = (annotations: Record<string, string> | undefined): boolean => defaultAnnotations.some((key) => annotations?.[key] === 'true')

export const StorageClass = defineResource<V1StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  model: 'V1StorageClass',
  columns: [
    { ...nameColumn, value: ({ metadata }) => (isDefaultClass(metadata.annotations) ? `${metadata.name} (default)` : metadata.name) },
    text('Provisioner', (storageClass) => storageClass.provisioner),
    text('ReclaimPolicy', (storageClass) => storageClass.reclaimPolicy ?? ''),
    text('VolumeBindingMode', (storageClass) => storageClass.volumeBindingMode ?? ''),
    text('AllowVolumeExpansion', (storageClass) => storageClass.allowVolumeExpansion ?? false),
    ageColumn,
  ],
  applyDefaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate: validateStorageClass,
  validateUpdate(draft, stored) {
    const errors = validateStorageClass(draft)
    if (!sameMap(draft.parameters, stored.parameters)) errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'))
    if (draft.provisioner !== stored.provisioner) errors.push(forbiddenField('provisioner', 'updates to provisioner are forbidden.'))
    if (draft.reclaimPolicy !== stored.reclaimPolicy) errors.push(forbiddenField('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'))
    errors.push(...immutable('volumeBindingMode', draft.volumeBindingMode, stored.volumeBindingMode))
    return errors
  },
})

function validateStorageClass(storageClass: V1StorageClass): FieldError[] {
  const { provisioner, reclaimPolicy, volumeBindingMode, parameters = {} } = storageClass
  const errors: FieldError[] = []
  if (!provisioner) errors.push(required('provisioner', provisioner ?? ''))
  else for (const message of isQualifiedName(provisioner.toLowerCase())) errors.push(invalidValue('provisioner', provisioner, message))
  if (Object.keys(parameters).length > 512) errors.push(tooLong('parameters', 512))
  if ('' in parameters) errors.push(invalidValue('parameters', '', 'field can not be empty.'))
  if (reclaimPolicy && !reclaimPolicies.includes(reclaimPolicy)) errors.push(notSupported('reclaimPolicy', reclaimPolicy, reclaimPolicies))
  if (!volumeBindingMode) errors.push(required('volumeBindingMode'))
  else if (!bindingModes.includes(volumeBindingMode)) errors.push(notSupported('volumeBindingMode', volumeBindingMode, bindingModes))
  return errors
}
