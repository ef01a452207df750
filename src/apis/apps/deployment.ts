import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1Deployment, V1DeploymentStrategy } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { isNone, notOverHundred, validateIntOrPercent, validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validateServingTemplate } from '../pod-spec-validation/pod-template.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { keepStatus, scaleSubresource, statusSubresource } from '../subresources.ts'
import { validateWorkloadSelector } from './selector-validation.ts'
import { containersColumn, imagesColumn, selectorColumn } from './template-columns.ts'

export const Deployment = defineResource<V1Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  model: 'V1Deployment',
  subresources: [scaleSubresource, statusSubresource({ keepMetadata: ['labels'] })],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
  columns: [
    nameColumn,
    text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    text('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    text('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  applyDefaults(deployment) {
    deployment.spec ??= { selector: {}, template: {} }
    const { spec } = deployment
    podTemplateDefaults(spec)
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
    spec.strategy ??= {}
    const { strategy } = spec
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {}
      strategy.rollingUpdate.maxUnavailable ??= '25%'
      strategy.rollingUpdate.maxSurge ??= '25%'
    }
  },
  prepareForCreate(deployment) {
    deployment.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateDeployment,
  validateUpdate: (draft, stored) => [...validateDeployment(draft), ...immutable('spec.selector', draft.spec.selector, stored.spec.selector)],
  warnings: ({ spec }) => templateWarnings(spec.template, 'spec.template'),
})

function validateDeployment({ spec }: V1Deployment): FieldError[] {
  const deadline = spec.progressDeadlineSeconds
  const errors = [
    ...validateNonNegative(spec.replicas, 'spec.replicas'),
    ...validateWorkloadSelector(spec.selector, 'deployment'),
    ...validateServingTemplate(spec.template, spec.selector, 'spec.template'),
    ...validateStrategy(spec.strategy ?? {}, 'spec.strategy'),
    ...validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...validateNonNegative(deadline, 'spec.progressDeadlineSeconds'),
  ]
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0))
    errors.push(invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
  return errors
}

function validateStrategy({ type, rollingUpdate }: V1DeploymentStrategy, at: string): FieldError[] {
  if (type === 'Recreate') return rollingUpdate ? [forbiddenField(`${at}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")] : []
  if (type !== 'RollingUpdate') return [notSupported(at, type ?? '', ['Recreate', 'RollingUpdate'])]
  if (!rollingUpdate) return [required(`${at}.rollingUpdate`, 'this should be defaulted and never be nil')]
  const { maxUnavailable, maxSurge } = rollingUpdate
  const here = `${at}.rollingUpdate`
  const errors = [...validateIntOrPercent(maxUnavailable, `${here}.maxUnavailable`), ...validateIntOrPercent(maxSurge, `${here}.maxSurge`)]
  if (isNone(maxUnavailable) && isNone(maxSurge)) errors.push(invalidValue(`${here}.maxUnavailable`, maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'))
  errors.push(...notOverHundred(maxUnavailable, `${here}.maxUnavailable`))
  return errors
}
