import { type FieldError, invalidValue, required, tooLong } from '../../machinery/field-error.ts'
import type { V1Secret } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isConfigKey } from '../formats.ts'
import { immutable } from '../immutable.ts'
import { validateFrozen } from './frozen-data.ts'

const maxBytes = 1024 * 1024

/** Keys that a type cannot be without. */
const requiredKeys: Record<string, readonly string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const Secret = defineResource<V1Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  model: 'V1Secret',
  selectableFields: { type: (secret) => secret.type ?? '' },
  columns: [nameColumn, text('Type', (secret) => secret.type ?? ''), text('Data', (secret) => Object.keys(secret.data ?? {}).length), ageColumn],
  applyDefaults(secret) {
    secret.type ||= 'Opaque'
    if (!secret.stringData) return
    // Write-only: becomes data, and wins over it.
    secret.data ??= {}
    for (const [key, value] of Object.entries(secret.stringData)) secret.data[key] = Buffer.from(value).toString('base64')
    delete secret.stringData
  },
  validate: validateSecret,
  validateUpdate: (draft, stored) => [...immutable('type', draft.type, stored.type), ...validateFrozen(draft, stored, ['data']), ...validateSecret(draft)],
})

function validateSecret({ metadata, type = '', data = {} }: V1Secret): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const key in data) {
    for (const message of isConfigKey(key)) errors.push(invalidValue(`data[${key}]`, key, message))
    size += Buffer.byteLength(data[key] ?? '', 'base64')
  }
  if (size > maxBytes) errors.push(tooLong('data', maxBytes))
  for (const key of requiredKeys[type] ?? []) if (data[key] === undefined) errors.push(required(`data[${key}]`))
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.['kubernetes.io/service-account.name'])
    errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'))
  if (type === 'kubernetes.io/basic-auth' && data.username === undefined && data.password === undefined)
    errors.push(required('data[%s]username'), required('data[%s]password'))
  for (const key of ['.dockercfg', '.dockerconfigjson'])
    if (requiredKeys[type]?.includes(key) && data[key] !== undefined && !isJson(data[key]))
      errors.push(invalidValue(`data[${key}]`, '<secret contents redacted>', 'invalid character'))
  return errors
}

function isJson(base64: string): boolean {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString())
    return true
  } catch {
    return false
  }
}
