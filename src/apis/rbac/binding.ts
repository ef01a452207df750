/** What role bindings of both scopes have in common. */
import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel, isPathSegment } from '../../machinery/names.ts'
import type { RbacV1Subject, V1RoleRef } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'
import { sameJson } from '../equality.ts'
import type { Column } from '../resource.ts'

const group = 'rbac.authorization.k8s.io'

interface Binding {
  metadata: { name?: string; creationTimestamp?: string }
  roleRef: V1RoleRef
  subjects?: RbacV1Subject[]
}

const names = (binding: Binding, kind: string): string =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
    .join(', ')

export const bindingColumns: readonly Column<Binding>[] = [
  nameColumn,
  text('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  wide(text('Users', (binding) => names(binding, 'User'))),
  wide(text('Groups', (binding) => names(binding, 'Group'))),
  wide(text('ServiceAccounts', (binding) => names(binding, 'ServiceAccount'))),
]

export function bindingDefaults(binding: Binding): void {
  binding.roleRef ??= { kind: '', name: '' }
  binding.roleRef.apiGroup ||= group
  for (const subject of binding.subjects ?? []) {
    if (subject.apiGroup) continue
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup = group
  }
}

export function validateBinding({ roleRef, subjects = [] }: Binding, roleKinds: readonly string[], namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  if (roleRef.apiGroup !== group) errors.push(notSupported('roleRef.apiGroup', roleRef.apiGroup ?? '', [group]))
  if (!roleKinds.includes(roleRef.kind)) errors.push(notSupported('roleRef.kind', roleRef.kind ?? '', roleKinds))
  if (!roleRef.name) errors.push(required('roleRef.name'))
  else for (const message of isPathSegment(roleRef.name)) errors.push(invalidValue('roleRef.name', roleRef.name, message))
  subjects.forEach((subject, index) => {
    errors.push(...validateSubject(subject, namespaced, `subjects[${index}]`))
  })
  return errors
}

function validateSubject({ kind, name, namespace, apiGroup = '' }: RbacV1Subject, namespaced: boolean, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!name) errors.push(required(`${at}.name`))
  if (kind === 'ServiceAccount') {
    if (name) for (const message of isDnsLabel(name.replaceAll('.', '-'))) errors.push(invalidValue(`${at}.name`, name, message))
    if (apiGroup !== '') errors.push(notSupported(`${at}.apiGroup`, apiGroup, ['']))
    if (!namespaced && !namespace) errors.push(required(`${at}.namespace`))
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) errors.push(notSupported(`${at}.apiGroup`, apiGroup, [group]))
  } else errors.push(notSupported(`${at}.kind`, kind ?? '', ['Group', 'ServiceAccount', 'User']))
  return errors
}

export function validateBindingUpdate(draft: Binding, stored: Binding): FieldError[] {
  return sameJson(draft.roleRef, stored.roleRef) ? [] : [invalidValue('roleRef', draft.roleRef, 'cannot change roleRef')]
}
