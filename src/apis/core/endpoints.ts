import type { V1Endpoints } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const Endpoints = defineResource<V1Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  singular: 'endpoints',
  namespaced: true,
  model: 'V1Endpoints',
  storagePrefix: 'services/endpoints',
})
