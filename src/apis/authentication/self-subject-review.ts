import type { V1SelfSubjectReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const SelfSubjectReview = defineResource<Unstored<V1SelfSubjectReview>>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  model: 'V1SelfSubjectReview',
  virtual: true,
  verbs: ['create'],
})
