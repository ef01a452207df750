import { type FieldError, forbiddenField, notSupported } from '../../machinery/field-error.ts'
import type { V1PriorityClass } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'

export const PriorityClass = defineResource<V1PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  model: 'V1PriorityClass',
  generation: true,
  columns: [
    nameColumn,
    text('Value', (priorityClass) => priorityClass.value ?? 0),
    text('Global-Default', (priorityClass) => priorityClass.globalDefault ?? false),
    ageColumn,
    text('PreemptionPolicy', (priorityClass) => priorityClass.preemptionPolicy ?? ''),
  ],
  applyDefaults(priorityClass) {
    priorityClass.value ??= 0
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate: validatePriorityClass,
  validateUpdate(draft, stored) {
    const errors: FieldError[] = []
    if (draft.value !== stored.value) errors.push(forbiddenField('value', 'may not be changed in an update.'))
    if (draft.preemptionPolicy !== stored.preemptionPolicy) errors.push(forbiddenField('preemptionPolicy', 'may not be changed in an update.'))
    return errors
  },
})

const systemClasses: Record<string, number> = { 'system-cluster-critical': 2000000000, 'system-node-critical': 2000001000 }
const maxUserValue = 1000000000

function validatePriorityClass({ metadata: { name }, value = 0, globalDefault, preemptionPolicy }: V1PriorityClass): FieldError[] {
  const errors: FieldError[] = []
  if (name?.startsWith('system-')) {
    if (systemClasses[name] !== value || globalDefault)
      errors.push(
        forbiddenField(
          'metadata.name',
          "priority class names with 'system-' prefix are reserved for system use only. error: value of system priority classes may not be changed",
        ),
      )
  } else if (value > maxUserValue) errors.push(forbiddenField('value', `maximum allowed value of a user defined priority is ${maxUserValue}`))
  if (preemptionPolicy && !['Never', 'PreemptLowerPriority'].includes(preemptionPolicy))
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, ['Never', 'PreemptLowerPriority']))
  return errors
}
