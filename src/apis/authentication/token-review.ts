import type { V1TokenReview } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import type { Unstored } from '../resource.ts'

export const TokenReview = defineResource<Unstored<V1TokenReview>>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  model: 'V1TokenReview',
  virtual: true,
  verbs: ['create'],
})
