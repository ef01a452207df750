import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1DaemonSet } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, labelsText, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { isNone, notOverHundred, validateIntOrPercent, validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validateServingTemplate } from '../pod-spec-validation/pod-template.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { validateWorkloadSelector } from './selector-validation.ts'
import { containersColumn, imagesColumn, selectorColumn } from './template-columns.ts'

export const DaemonSet = defineResource<V1DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  model: 'V1DaemonSet',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    integer('Desired', ({ status }) => status?.desiredNumberScheduled),
    integer('Current', ({ status }) => status?.currentNumberScheduled),
    integer('Ready', ({ status }) => status?.numberReady),
    integer('Up-to-date', ({ status }) => status?.updatedNumberScheduled),
    integer('Available', ({ status }) => status?.numberAvailable),
    text('Node Selector', ({ spec }) => labelsText(spec.template.spec?.nodeSelector)),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  applyDefaults(set) {
    set.spec ??= { selector: {}, template: {} }
    const { spec } = set
    podTemplateDefaults(spec)
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
  },
  prepareForCreate(set) {
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateDaemonSet,
  validateUpdate: (draft, stored) => [...validateDaemonSet(draft), ...immutable('spec.selector', draft.spec.selector, stored.spec.selector)],
  warnings: ({ spec }) => templateWarnings(spec.template, 'spec.template'),
})

function validateDaemonSet({ spec }: V1DaemonSet): FieldError[] {
  return [
    ...validateWorkloadSelector(spec.selector, 'daemonset'),
    ...validateServingTemplate(spec.template, spec.selector, 'spec.template'),
    ...validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...validateStrategy(spec.updateStrategy ?? {}),
  ]
}

function validateStrategy({ type, rollingUpdate }: NonNullable<V1DaemonSet['spec']['updateStrategy']>): FieldError[] {
  const at = 'spec.updateStrategy'
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return [notSupported(`${at}.type`, type ?? '', ['OnDelete', 'RollingUpdate'])]
  if (!rollingUpdate) return [required(`${at}.rollingUpdate`)]
  const { maxUnavailable, maxSurge } = rollingUpdate
  const errors: FieldError[] = []
  for (const [field, value] of Object.entries({ maxUnavailable, maxSurge }))
    errors.push(...validateIntOrPercent(value, `${at}.rollingUpdate.${field}`), ...notOverHundred(value, `${at}.rollingUpdate.${field}`))
  if (isNone(maxUnavailable) && isNone(maxSurge)) errors.push(required(`${at}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  if (!isNone(maxUnavailable) && !isNone(maxSurge))
    errors.push(invalidValue(`${at}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  return errors
}
