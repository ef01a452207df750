import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { createdAtColumn } from '../created-at-column.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const CustomResourceDefinition = defineResource<V1CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1CustomResourceDefinition',
  subresources: [statusSubresource()],
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  generation: true,
  columns: [nameColumn, createdAtColumn],
  applyDefaults({ spec }) {
    if (!spec?.names) return
    spec.names.singular ||= spec.names.kind?.toLowerCase()
    if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    if (spec.conversion.webhook?.clientConfig?.service) spec.conversion.webhook.clientConfig.service.port ??= 443
  },
  prepareForCreate(definition) {
    definition.status = { storedVersions: definition.spec.versions?.filter((version) => version.storage).map((version) => version.name) ?? [] }
  },
  prepareForUpdate(draft, stored) {
    keepStatus(draft, stored)
    // What was ever stored in a version is still there.
    const storage = draft.spec.versions?.find((version) => version.storage)?.name
    const before = stored.status?.storedVersions ?? []
    if (storage && !before.includes(storage)) draft.status = { ...stored.status, storedVersions: [...before, storage] }
  },
  validate: validateDefinition,
  validateUpdate: validateDefinition,
})

const scopes = ['Cluster', 'Namespaced']

function validateDefinition({ metadata, spec }: V1CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', names, scope, versions = [] } = spec ?? {}
  const expected = `${names?.plural ?? ''}.${group}`
  if (metadata.name !== expected) errors.push(invalidValue('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`))
  if (group === '') errors.push(required('spec.group'))
  else if (!group.includes('.')) errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  if (!scope) errors.push(required('spec.scope'))
  else if (!scopes.includes(scope)) errors.push(notSupported('spec.scope', scope, scopes))
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) if (!names?.[field]) errors.push(required(`spec.names.${field}`))
  if (names?.kind && names.kind === names.listKind) errors.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  if (versions.filter((version) => version.storage).length !== 1)
    errors.push(
      invalidValue(
        'spec.versions',
        versions.map((version) => version.name),
        'must have exactly one version marked as storage version',
      ),
    )
  versions.forEach((version, index) => {
    if (!version.schema?.openAPIV3Schema) errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'))
  })
  return errors
}
