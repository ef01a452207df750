import { type FieldError, required } from '../../machinery/field-error.ts'
import type { V1IPAddress } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isIpAddress } from '../formats.ts'
import { immutable } from '../immutable.ts'

export const IPAddress = defineResource<V1IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  model: 'V1IPAddress',
  generation: true,
  columns: [nameColumn, text('ParentRef', parentText), ageColumn],
  validateName: isIpAddress,
  validate: validateParent,
  validateUpdate: (draft, stored) => [...validateParent(draft), ...immutable('spec.parentRef', draft.spec?.parentRef, stored.spec?.parentRef)],
})

/** `services/shop/web` */
function parentText({ spec }: V1IPAddress): string {
  const parent = spec?.parentRef
  if (!parent) return ''
  const resource = parent.group ? `${parent.resource}.${parent.group}` : parent.resource
  return [resource, parent.namespace, parent.name].filter(Boolean).join('/')
}

function validateParent({ spec }: V1IPAddress): FieldError[] {
  const parent = spec?.parentRef
  if (!parent) return [required('spec.parentRef')]
  return (['resource', 'name'] as const).filter((field) => !parent[field]).map((field) => required(`spec.parentRef.${field}`))
}
