import type { V1PodTemplate } from '../../machinery/schema/generated/types.ts'
import { labelsText, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validatePodTemplate } from '../pod-spec-validation/pod-template.ts'

export const PodTemplate = defineResource<V1PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  namespaced: true,
  model: 'V1PodTemplate',
  columns: [
    nameColumn,
    text('Containers', ({ template }) => (template?.spec?.containers ?? []).map((one) => one.name).join(',')),
    text('Images', ({ template }) => (template?.spec?.containers ?? []).map((one) => one.image ?? '').join(',')),
    text('Pod Labels', ({ template }) => labelsText(template?.metadata?.labels)),
  ],
  applyDefaults: podTemplateDefaults,
  validate: ({ template }) => validatePodTemplate(template ?? {}, 'template'),
  validateUpdate: ({ template }) => validatePodTemplate(template ?? {}, 'template'),
})
