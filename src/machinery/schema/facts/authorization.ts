import { apiPackage, atomic } from './api-package.ts'

export const authorizationV1 = apiPackage(
  'io.k8s.api.authorization.v1',
  {
    FieldSelectorAttributes: {
      requirements: atomic,
    },
    LabelSelectorAttributes: {
      requirements: atomic,
    },
    NonResourceRule: {
      nonResourceURLs: atomic,
      verbs: atomic,
    },
    ResourceRule: {
      apiGroups: atomic,
      resourceNames: atomic,
      resources: atomic,
      verbs: atomic,
    },
    SubjectAccessReviewSpec: {
      groups: atomic,
    },
    SubjectRulesReviewStatus: {
      nonResourceRules: atomic,
      resourceRules: atomic,
    },
  },
  `
  LocalSubjectAccessReview NonResourceAttributes ResourceAttributes SelfSubjectAccessReview SelfSubjectAccessReviewSpec
  SelfSubjectRulesReview SelfSubjectRulesReviewSpec SubjectAccessReview SubjectAccessReviewStatus
  `,
)
