import type { V1SelfSubjectRulesReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const SelfSubjectRulesReview = defineResource<Unstored<V1SelfSubjectRulesReview>>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  model: 'V1SelfSubjectRulesReview',
  virtual: true,
  verbs: ['create'],
})
