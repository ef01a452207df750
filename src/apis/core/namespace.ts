import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1Namespace } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { keepField, keepStatus, statusSubresource } from '../subresources.ts'

const nameLabel = 'kubernetes.io/metadata.name'

export const Namespace = defineResource<V1Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  model: 'V1Namespace',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [
    {
      name: 'finalize',
      verbs: ['update'],
      prepareForUpdate: keepStatus,
      validateUpdate: ({ spec }) => (spec.finalizers ?? []).flatMap((name, index) => validateQualifiedName(name, `spec.finalizers[${index}]`)),
    },
    statusSubresource({ validateUpdate: validatePhase }),
  ],
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  columns: [nameColumn, text('Status', (namespace) => namespace.status?.phase ?? ''), ageColumn],
  validateName: isDnsLabel,
  applyDefaults(namespace) {
    namespace.spec ??= {}
    if (namespace.metadata.name) {
      namespace.metadata.labels ??= {}
      namespace.metadata.labels[nameLabel] = namespace.metadata.name
    }
  },
  prepareForCreate(namespace) {
    namespace.status = { phase: 'Active' }
    const finalizers = namespace.spec.finalizers ?? []
    namespace.spec.finalizers = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
  },
  prepareForUpdate(draft, stored) {
    keepField(draft.spec, stored.spec, 'finalizers')
    keepStatus(draft, stored)
  },
})

function validatePhase({ metadata, status }: V1Namespace): FieldError[] {
  const phase = status?.phase ?? ''
  if (!metadata.deletionTimestamp)
    return phase === 'Active' ? [] : [invalidValue('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  return phase === 'Terminating' ? [] : [invalidValue('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
}
