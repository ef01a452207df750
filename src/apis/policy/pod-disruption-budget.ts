import { type FieldError, invalidValue, notSupported } from '../../machinery/field-error.ts'
import type { V1PodDisruptionBudget } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { notOverHundred, validateIntOrPercent } from '../int-or-percent.ts'
import { validateLabelSelector } from '../selector-validation.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const PodDisruptionBudget = defineResource<V1PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  namespaced: true,
  model: 'V1PodDisruptionBudget',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    text('Min Available', ({ spec }) => spec.minAvailable ?? 'N/A'),
    text('Max Unavailable', ({ spec }) => spec.maxUnavailable ?? 'N/A'),
    integer('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed),
    ageColumn,
  ],
  applyDefaults(budget) {
    budget.spec ??= {}
  },
  prepareForCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateBudget,
  validateUpdate: validateBudget,
})

function validateBudget({ spec }: V1PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined) errors.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  for (const [field, value] of Object.entries({ minAvailable, maxUnavailable }))
    errors.push(...validateIntOrPercent(value, `spec.${field}`), ...notOverHundred(value, `spec.${field}`))
  errors.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  if (policy !== undefined && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget')
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']))
  return errors
}
