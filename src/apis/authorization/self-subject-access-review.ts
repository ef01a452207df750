import type { V1SelfSubjectAccessReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const SelfSubjectAccessReview = defineResource<Unstored<V1SelfSubjectAccessReview>>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  model: 'V1SelfSubjectAccessReview',
  virtual: true,
  verbs: ['create'],
})
