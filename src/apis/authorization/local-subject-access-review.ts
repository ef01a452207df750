import type { V1LocalSubjectAccessReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const LocalSubjectAccessReview = defineResource<Unstored<V1LocalSubjectAccessReview>>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  model: 'V1LocalSubjectAccessReview',
  virtual: true,
  verbs: ['create'],
})
