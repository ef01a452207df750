import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1FlowSchema } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const FlowSchema = defineResource<V1FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  namespaced: false,
  model: 'V1FlowSchema',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    text('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration?.name ?? ''),
    integer('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence),
    text('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    text('MissingPL', ({ status }) => status?.conditions?.find((one) => one.type === 'Dangling')?.status ?? '?'),
  ],
  applyDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= 1000
  },
  prepareForCreate(schema) {
    schema.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateSchema,
  validateUpdate: validateSchema,
})

function validateSchema({ spec }: V1FlowSchema): FieldError[] {
  const errors: FieldError[] = []
  const precedence = spec?.matchingPrecedence ?? 0
  if (precedence <= 0) errors.push(invalidValue('spec.matchingPrecedence', precedence, 'must be a positive value'))
  if (precedence > 10000) errors.push(invalidValue('spec.matchingPrecedence', precedence, 'must not be greater than 10000'))
  if (!spec?.priorityLevelConfiguration?.name) errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  spec?.rules?.forEach((rule, index) => {
    if (!rule.subjects?.length) errors.push(required(`spec.rules[${index}].subjects`, 'subjects must contain at least one value'))
    if (!rule.resourceRules?.length && !rule.nonResourceRules?.length)
      errors.push(required(`spec.rules[${index}]`, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  })
  return errors
}
