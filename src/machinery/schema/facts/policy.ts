import { apiPackage, mergedBy } from './api-package.ts'

export const policyV1 = apiPackage(
  'io.k8s.api.policy.v1',
  {
    PodDisruptionBudgetSpec: {
      selector: { patch: ['replace'] },
    },
    PodDisruptionBudgetStatus: {
      conditions: mergedBy('type'),
    },
  },
  `
  Eviction PodDisruptionBudget PodDisruptionBudgetList
  `,
)
