import type { V1IPAddress } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'

export const IPAddress = defineResource<V1IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  model: 'V1IPAddress',
  generation: true,
})
