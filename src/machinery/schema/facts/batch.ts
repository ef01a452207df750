import { apiPackage, atomic, set } from './api-package.ts'

export const batchV1 = apiPackage(
  'io.k8s.api.batch.v1',
  {
    CronJobStatus: {
      active: atomic,
    },
    JobStatus: {
      conditions: { list: 'atomic', patch: ['merge'], mergeKey: 'type' },
    },
    PodFailurePolicy: {
      rules: atomic,
    },
    PodFailurePolicyOnExitCodesRequirement: {
      values: set,
    },
    PodFailurePolicyRule: {
      onPodConditions: atomic,
    },
    SuccessPolicy: {
      rules: atomic,
    },
    UncountedTerminatedPods: {
      failed: set,
      succeeded: set,
    },
  },
  `
  CronJob CronJobList CronJobSpec Job JobCondition JobList JobSpec JobTemplateSpec PodFailurePolicyOnPodConditionsPattern
  SuccessPolicyRule
  `,
)
