import { type FieldError, required } from '../../machinery/field-error.ts'
import type { V1ReplicationController } from '../../machinery/schema/generated/types.ts'
import { containersColumn, imagesColumn } from '../apps/template-columns.ts'
import { ageColumn, integer, labelsText, nameColumn, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validateServingTemplate } from '../pod-spec-validation/pod-template.ts'
import type { Column } from '../resource.ts'
import { keepStatus, scaleSubresource, statusSubresource } from '../subresources.ts'

export const ReplicationController = defineResource<V1ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  model: 'V1ReplicationController',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  storagePrefix: 'controllers',
  generation: true,
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    integer('Desired', ({ spec }) => spec?.replicas),
    integer('Current', ({ status }) => status?.replicas),
    integer('Ready', ({ status }) => status?.readyReplicas),
    ageColumn,
    containersColumn as unknown as Column<V1ReplicationController>,
    imagesColumn as unknown as Column<V1ReplicationController>,
    wide(text('Selector', ({ spec }) => labelsText(spec?.selector))),
  ],
  applyDefaults(controller) {
    controller.spec ??= {}
    podTemplateDefaults(controller.spec)
    const labels = controller.spec.template?.metadata?.labels
    if (labels && Object.keys(controller.spec.selector ?? {}).length === 0) controller.spec.selector = { ...labels }
    if (labels && Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels }
    controller.spec.replicas ??= 1
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateController,
  validateUpdate: validateController,
})

function validateController({ spec = {} }: V1ReplicationController): FieldError[] {
  const { selector = {}, template = {} } = spec
  const errors = [...validateNonNegative(spec.replicas, 'spec.replicas'), ...validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds')]
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'))
  return [...errors, ...validateServingTemplate(template, { matchLabels: selector }, 'spec.template')]
}
