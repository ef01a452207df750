import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1CronJob } from '../../machinery/schema/generated/types.ts'
import { ageOf } from '../age.ts'
import { ageColumn, nameColumn, selectorText, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { scheduleProblem } from './cron-schedule.ts'
import { validateJobSpec } from './job-spec-validation.ts'

const policies = ['Allow', 'Forbid', 'Replace']
/** Jobs get the name and eleven characters more. */
const maxName = 52

const containers = (cronJob: V1CronJob) => cronJob.spec.jobTemplate.spec?.template.spec?.containers ?? []

export const CronJob = defineResource<V1CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  model: 'V1CronJob',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    text('Schedule', ({ spec }) => spec.schedule),
    text('Timezone', ({ spec }) => spec.timeZone ?? '<none>'),
    text('Suspend', ({ spec }) => (spec.suspend ? 'True' : 'False')),
    { ...text<V1CronJob>('Active', ({ status }) => status?.active?.length ?? 0), type: 'integer' },
    text('Last Schedule', ({ status }, now) => (status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : '<none>')),
    ageColumn,
    wide(
      text('Containers', (cronJob) =>
        containers(cronJob)
          .map((one) => one.name)
          .join(','),
      ),
    ),
    wide(
      text('Images', (cronJob) =>
        containers(cronJob)
          .map((one) => one.image ?? '')
          .join(','),
      ),
    ),
    wide(text('Selector', ({ spec }) => selectorText(spec.jobTemplate.spec?.selector))),
  ],
  applyDefaults(cronJob) {
    cronJob.spec ??= { schedule: '', jobTemplate: {} }
    const { spec } = cronJob
    spec.jobTemplate ??= {}
    spec.jobTemplate.metadata ??= {}
    spec.jobTemplate.spec ??= { template: {} }
    podTemplateDefaults(spec.jobTemplate.spec)
    spec.concurrencyPolicy ||= 'Allow'
    spec.suspend ??= false
    spec.successfulJobsHistoryLimit ??= 3
    spec.failedJobsHistoryLimit ??= 1
  },
  prepareForCreate(cronJob) {
    cronJob.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateCronJob,
  validateUpdate: validateCronJob,
  warnings: ({ spec }) => [
    ...templateWarnings(spec.jobTemplate.spec?.template ?? {}, 'spec.jobTemplate.spec.template'),
    ...(/TZ/.test(spec.schedule ?? '')
      ? [
          'CRON_TZ or TZ used in spec.schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
        ]
      : []),
  ],
})

function validateCronJob({ metadata, spec }: V1CronJob): FieldError[] {
  const errors: FieldError[] = []
  if (metadata.name?.length > maxName) errors.push(invalidValue('metadata.name', metadata.name, `must be no more than ${maxName} characters`))
  if (!spec.schedule) errors.push(required('spec.schedule'))
  else {
    const problem = scheduleProblem(spec.schedule)
    if (problem) errors.push(invalidValue('spec.schedule', spec.schedule, problem))
  }
  if (spec.timeZone !== undefined && !isTimeZone(spec.timeZone)) errors.push(invalidValue('spec.timeZone', spec.timeZone, `unknown time zone ${spec.timeZone}`))
  for (const field of ['startingDeadlineSeconds', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit'] as const)
    errors.push(...validateNonNegative(spec[field], `spec.${field}`))
  if (!spec.concurrencyPolicy) errors.push(required('spec.concurrencyPolicy'))
  else if (!policies.includes(spec.concurrencyPolicy)) errors.push(notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, policies))
  errors.push(...validateJobSpec(spec.jobTemplate.spec ?? { template: {} }, 'spec.jobTemplate.spec'))
  return errors
}

function isTimeZone(name: string): boolean {
  if (name === '' || name.toLowerCase() === 'local') return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
