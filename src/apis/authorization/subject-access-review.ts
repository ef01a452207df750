import type { V1SubjectAccessReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const SubjectAccessReview = defineResource<Unstored<V1SubjectAccessReview>>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  model: 'V1SubjectAccessReview',
  virtual: true,
  verbs: ['create'],
})
