import type { FieldError } from '../../machinery/field-error.ts'
import type { V1ReplicaSet } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validateServingTemplate } from '../pod-spec-validation/pod-template.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { keepStatus, scaleSubresource, statusSubresource } from '../subresources.ts'
import { validateWorkloadSelector } from './selector-validation.ts'
import { containersColumn, imagesColumn, selectorColumn } from './template-columns.ts'

export const ReplicaSet = defineResource<V1ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  model: 'V1ReplicaSet',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
  selectableFields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    integer('Desired', (set) => set.spec.replicas),
    integer('Current', (set) => set.status?.replicas),
    integer('Ready', (set) => set.status?.readyReplicas),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  applyDefaults(set) {
    set.spec ??= { selector: {} }
    podTemplateDefaults(set.spec)
    set.spec.replicas ??= 1
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateReplicaSet,
  validateUpdate: (draft, stored) => [...validateReplicaSet(draft), ...immutable('spec.selector', draft.spec.selector, stored.spec.selector)],
  warnings: ({ spec }) => templateWarnings(spec.template ?? {}, 'spec.template'),
})

function validateReplicaSet({ spec }: V1ReplicaSet): FieldError[] {
  return [
    ...validateNonNegative(spec.replicas, 'spec.replicas'),
    ...validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateWorkloadSelector(spec.selector, 'deployment'),
    ...validateServingTemplate(spec.template ?? {}, spec.selector, 'spec.template'),
  ]
}
