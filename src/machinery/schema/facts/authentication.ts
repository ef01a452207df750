import { apiPackage, atomic } from './api-package.ts'

export const authenticationV1 = apiPackage(
  'io.k8s.api.authentication.v1',
  {
    TokenRequestSpec: {
      audiences: atomic,
    },
    TokenReviewSpec: {
      audiences: atomic,
    },
    TokenReviewStatus: {
      audiences: atomic,
    },
    UserInfo: {
      groups: atomic,
    },
  },
  `
  BoundObjectReference SelfSubjectReview SelfSubjectReviewStatus TokenRequest TokenRequestStatus TokenReview
  `,
)
