import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1VolumeAttachment } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { sameJson } from '../equality.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const VolumeAttachment = defineResource<V1VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  namespaced: false,
  model: 'V1VolumeAttachment',
  subresources: [statusSubresource()],
  columns: [
    nameColumn,
    text('Attacher', ({ spec }) => spec.attacher),
    text('PV', ({ spec }) => spec.source?.persistentVolumeName ?? ''),
    text('Node', ({ spec }) => spec.nodeName),
    text('Attached', ({ status }) => status?.attached ?? false),
    ageColumn,
  ],
  prepareForCreate(attachment) {
    attachment.status = { attached: false }
  },
  prepareForUpdate: keepStatus,
  validate: validateAttachment,
  validateUpdate: (draft, stored) => [
    ...validateAttachment(draft),
    ...(sameJson(draft.spec, stored.spec) ? [] : [invalidValue('spec', draft.spec, 'field is immutable')]),
  ],
})

function validateAttachment({ spec }: V1VolumeAttachment): FieldError[] {
  const errors = (['attacher', 'nodeName'] as const).filter((field) => !spec?.[field]).map((field): FieldError => required(`spec.${field}`))
  const { persistentVolumeName, inlineVolumeSpec } = spec?.source ?? {}
  if (!persistentVolumeName && !inlineVolumeSpec) errors.push(required('spec.source', 'must specify one of inlineVolumeSpec and persistentVolumeName'))
  return errors
}
