import { type FieldError, invalidValue, tooLong } from '../../machinery/field-error.ts'
import type { V1ConfigMap } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isConfigKey } from '../formats.ts'
import { validateFrozen } from './frozen-data.ts'

const maxBytes = 1024 * 1024

export const ConfigMap = defineResource<V1ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  model: 'V1ConfigMap',
  columns: [nameColumn, text('Data', (map) => Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length), ageColumn],
  validate: validateConfigMap,
  validateUpdate: (draft, stored) => [...validateFrozen(draft, stored, ['data', 'binaryData']), ...validateConfigMap(draft)],
})

function validateConfigMap({ data, binaryData }: V1ConfigMap): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const key in data) {
    for (const message of isConfigKey(key)) errors.push(invalidValue(`data[${key}]`, key, message))
    if (binaryData && key in binaryData) errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    size += Buffer.byteLength(data[key] ?? '')
  }
  for (const key in binaryData) {
    for (const message of isConfigKey(key)) errors.push(invalidValue(`binaryData[${key}]`, key, message))
    size += Buffer.byteLength(binaryData[key] ?? '', 'base64')
  }
  if (size > maxBytes) errors.push(tooLong('[]', maxBytes))
  return errors
}
