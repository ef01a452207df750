import type { V1Node } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { statusSubresource } from '../subresources.ts'

export const Node = defineResource<V1Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  model: 'V1Node',
  subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }, statusSubresource()],
  storagePrefix: 'minions',
})
