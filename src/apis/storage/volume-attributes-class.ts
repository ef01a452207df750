import { type FieldError, forbiddenField, required } from '../../machinery/field-error.ts'
import type { V1VolumeAttributesClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { sameMap } from '../equality.ts'

export const VolumeAttributesClass = defineResource<V1VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  shortNames: ['vac'],
  namespaced: false,
  model: 'V1VolumeAttributesClass',
  generation: true,
  columns: [nameColumn, text('DriverName', (attributes) => attributes.driverName), ageColumn],
  validate: ({ driverName }) => (driverName ? [] : [required('driverName')]),
  validateUpdate(draft, stored) {
    const errors: FieldError[] = []
    if (draft.driverName !== stored.driverName) errors.push(forbiddenField('driverName', 'updates to driverName are forbidden.'))
    if (!sameMap(draft.parameters, stored.parameters)) errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'))
    return errors
  },
})
