import { isDns1035Label } from '../../machinery/names.ts'
import type { V1Service } from '../../machinery/schema/generated/types.ts'
import { ageColumn, labelsText, nameColumn, text, wide } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { defaultFamilies, dropTypeDependent, joinClusterIps, keepAllocated } from './service-addresses.ts'
import { validateService, validateServiceUpdate } from './service-validation.ts'

export const Service = defineResource<V1Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  model: 'V1Service',
  subresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }, statusSubresource()],
  storagePrefix: 'services/specs',
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type ?? '',
  },
  columns: [
    nameColumn,
    text('Type', (service) => service.spec.type ?? ''),
    text('Cluster-IP', (service) => service.spec.clusterIP || '<none>'),
    text('External-IP', externalAddress),
    text('Port(s)', portsText),
    ageColumn,
    wide(text('Selector', (service) => labelsText(service.spec.selector))),
  ],
  validateName: isDns1035Label,
  applyDefaults(service) {
    service.spec ??= {}
    const { spec } = service
    spec.sessionAffinity ||= 'None'
    spec.type ||= 'ClusterIP'
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
    if (spec.sessionAffinity === 'ClientIP') {
      spec.sessionAffinityConfig ??= {}
      spec.sessionAffinityConfig.clientIP ??= {}
      spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800
    }
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP'
      if (!port.targetPort) port.targetPort = port.port
    }
    const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
    if (external) spec.externalTrafficPolicy ||= 'Cluster'
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} }
    joinClusterIps(service)
    if (service.spec.type === 'ExternalName') return
    defaultFamilies(service)
  },
  prepareForUpdate(draft, stored) {
    keepStatus(draft, stored)
    joinClusterIps(draft, stored)
    keepAllocated(draft, stored)
    dropTypeDependent(draft, stored)
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
})

function externalAddress({ spec, status }: V1Service): string {
  if (spec.type === 'ExternalName') return spec.externalName ?? ''
  const given = spec.externalIPs ?? []
  if (spec.type !== 'LoadBalancer') return given.join(',') || '<none>'
  const assigned = (status?.loadBalancer?.ingress ?? []).map((one) => one.ip || one.hostname || '').filter(Boolean)
  return [...assigned, ...given].join(',') || '<pending>'
}

function portsText({ spec }: V1Service): string {
  return (spec.ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`).join(',') || '<none>'
}
