import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import { isPathSegment } from '../../machinery/names.ts'
import type { V1APIService } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const APIService = defineResource<V1APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1APIService',
  subresources: [statusSubresource()],
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  columns: [
    nameColumn,
    text('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local')),
    text('Available', ({ status }) => {
      const available = status?.conditions?.find((one) => one.type === 'Available')
      if (!available) return 'Unknown'
      return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
    }),
    ageColumn,
  ],
  validateName: isPathSegment,
  applyDefaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443
  },
  prepareForCreate(service) {
    service.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateApiService,
  validateUpdate: validateApiService,
})

function validateApiService({ metadata, spec }: V1APIService): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {}
  const expected = `${version}.${group}`
  if (metadata.name !== expected && metadata.name !== `${version}.`)
    errors.push(invalidValue('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(expected)}`))
  if (version === '') errors.push(required('spec.version'))
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000)
    errors.push(invalidValue('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'))
  if (versionPriority <= 0 || versionPriority > 1000) errors.push(invalidValue('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
  if (spec?.service) {
    for (const field of ['namespace', 'name'] as const) if (!spec.service[field]) errors.push(required(`spec.service.${field}`))
    if (spec.insecureSkipTLSVerify && spec.caBundle) errors.push(invalidValue('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  } else if (spec?.caBundle) errors.push(invalidValue('spec.caBundle', `${spec.caBundle.length} bytes`, 'local APIServices may not have a caBundle'))
  return errors
}
