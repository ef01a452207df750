import { invalidValue } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1RuntimeClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const RuntimeClass = defineResource<V1RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
  model: 'V1RuntimeClass',
  columns: [nameColumn, text('Handler', (runtimeClass) => runtimeClass.handler), ageColumn],
  validate: ({ handler = '' }) => isDnsLabel(handler).map((message) => invalidValue('handler', handler, message)),
  validateUpdate: (draft, stored) => immutable('handler', draft.handler, stored.handler),
})
