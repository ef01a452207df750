import type { V1CustomResourceDefinition } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const CustomResourceDefinition = defineResource<V1CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  model: 'V1CustomResourceDefinition',
  subresources: [statusSubresource()],
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  generation: true,
})
