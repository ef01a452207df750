import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { createdAtColumn } from '../created-at-column.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { validateDefinition, validateDefinitionUpdate } from './definition-validation.ts'

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
  validateUpdate: validateDefinitionUpdate,
})
