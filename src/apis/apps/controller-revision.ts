import { required } from '../../machinery/field-error.ts'
import type { V1ControllerRevision } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { validateNonNegative } from '../int-or-percent.ts'

export const ControllerRevision = defineResource<V1ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  namespaced: true,
  model: 'V1ControllerRevision',
  columns: [nameColumn, text('Controller', controllerText), integer('Revision', (revision) => revision.revision), ageColumn],
  validate: (revision) => [
    ...(revision.data === undefined ? [required('data', 'data is mandatory')] : []),
    ...validateNonNegative(revision.revision, 'revision'),
  ],
  validateUpdate: (draft, stored) => [...validateNonNegative(draft.revision, 'revision'), ...immutable('data', draft.data, stored.data)],
})

/** `statefulset.apps/db` */
function controllerText({ metadata }: V1ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((one) => one.controller)
  if (!owner) return '<none>'
  const slash = owner.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}
