import { isIP } from 'node:net'
import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel, isDnsSubdomain } from '../../machinery/names.ts'
import type { V1Service, V1ServicePort, V1ServiceSpec } from '../../machinery/schema/generated/types.ts'
import { sameJson } from '../equality.ts'
import { isCidr, isIpAddress, isPortNumber, isPortNumberOrName } from '../formats.ts'
import { validateLabels } from '../label-validation.ts'

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const affinities = ['ClientIP', 'None']
const trafficPolicies = ['Cluster', 'Local']
const trafficDistributions = ['PreferClose', 'PreferSameNode', 'PreferSameZone']
const protocols = ['SCTP', 'TCP', 'UDP']
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function validateService({ spec }: V1Service): FieldError[] {
  const errors: FieldError[] = []
  const headless = spec.clusterIP === 'None'
  const type = spec.type ?? ''
  if (!spec.ports?.length && !headless && type !== 'ExternalName') errors.push(required('spec.ports'))
  if (headless && (type === 'NodePort' || type === 'LoadBalancer'))
    errors.push(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`))
  if (type === 'ExternalName') {
    if (spec.clusterIPs?.length) errors.push(forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services'))
    if (spec.externalName)
      errors.push(...isDnsSubdomain(trimDot(spec.externalName)).map((message) => invalidValue('spec.externalName', spec.externalName, message)))
    else errors.push(required('spec.externalName'))
  }
  errors.push(...validatePorts(spec), ...validateLabels(spec.selector, 'spec.selector'))
  if (!spec.sessionAffinity) errors.push(required('spec.sessionAffinity'))
  else if (!affinities.includes(spec.sessionAffinity)) errors.push(notSupported('spec.sessionAffinity', spec.sessionAffinity, affinities))
  errors.push(...validateAffinityConfig(spec))
  if (!type) errors.push(required('spec.type'))
  else if (!types.includes(type)) errors.push(notSupported('spec.type', type, types))
  errors.push(...validateAddresses(spec), ...validatePolicies(spec))
  return errors
}

const trimDot = (name: string): string => (name.endsWith('.') ? name.slice(0, -1) : name)

function validatePorts(spec: V1ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const ports = spec.ports ?? []
  const names = new Set<string>()
  const pairs = new Set<string>()
  const nodePorts = new Set<string>()
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`
    errors.push(...validatePort(port, ports.length > 1, names, at))
    const pair = `${port.protocol}/${port.port}`
    if (pairs.has(pair)) errors.push(duplicate(at, { protocol: port.protocol, port: port.port }))
    pairs.add(pair)
    if (!port.nodePort) return
    if (spec.type === 'ClusterIP') errors.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
    else {
      const taken = `${port.protocol}/${port.nodePort}`
      if (nodePorts.has(taken)) errors.push(duplicate(`${at}.nodePort`, port.nodePort))
      nodePorts.add(taken)
    }
  })
  return errors
}

function validatePort(port: V1ServicePort, named: boolean, names: Set<string>, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!port.name) {
    if (named) errors.push(required(`${at}.name`))
  } else {
    for (const message of isDnsLabel(port.name)) errors.push(invalidValue(`${at}.name`, port.name, message))
    if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name))
    names.add(port.name)
  }
  for (const message of isPortNumber(port.port ?? 0)) errors.push(invalidValue(`${at}.port`, port.port ?? 0, message))
  if (!port.protocol) errors.push(required(`${at}.protocol`))
  else if (!protocols.includes(port.protocol)) errors.push(notSupported(`${at}.protocol`, port.protocol, protocols))
  if (port.targetPort !== undefined)
    for (const message of isPortNumberOrName(port.targetPort)) errors.push(invalidValue(`${at}.targetPort`, port.targetPort, message))
  return errors
}

function validateAffinityConfig({ sessionAffinity, sessionAffinityConfig }: V1ServiceSpec): FieldError[] {
  const at = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None') return sessionAffinityConfig ? [forbiddenField(at, `must not be set when session affinity is None`)] : []
  if (sessionAffinity !== 'ClientIP') return []
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined) return [required(`${at}.clientIP.timeoutSeconds`, 'when session affinity type is ClientIP')]
  return seconds > 0 && seconds <= 86400 ? [] : [invalidValue(`${at}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400')]
}

function validateAddresses(spec: V1ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  spec.clusterIPs?.forEach((address, index) => {
    if (address === 'None' && index === 0) return
    for (const message of isIpAddress(address)) errors.push(invalidValue(`spec.clusterIPs[${index}]`, address, message))
  })
  if (spec.clusterIPs?.length && spec.clusterIP !== spec.clusterIPs[0])
    errors.push(invalidValue('spec.clusterIPs', spec.clusterIPs, 'element [0] must match clusterIP'))
  spec.externalIPs?.forEach((address, index) => {
    const at = `spec.externalIPs[${index}]`
    for (const message of isIpAddress(address)) errors.push(invalidValue(at, address, message))
    if (isIP(address) && (/^(127|169\.254)\./.test(address) || ['0.0.0.0', '::', '::1'].includes(address)))
      errors.push(invalidValue(at, address, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  })
  spec.loadBalancerSourceRanges?.forEach((range, index) => {
    const at = `spec.loadBalancerSourceRanges[${index}]`
    if (spec.type !== 'LoadBalancer') errors.push(forbiddenField(at, "may only be used when `type` is 'LoadBalancer'"))
    else for (const message of isCidr(range.trim())) errors.push(invalidValue(at, range, message))
  })
  return errors
}

function validatePolicies(spec: V1ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  if (spec.externalTrafficPolicy) {
    if (!external && !spec.externalIPs?.length)
      errors.push(invalidValue('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set for externally-accessible services'))
    else if (!trafficPolicies.includes(spec.externalTrafficPolicy))
      errors.push(notSupported('spec.externalTrafficPolicy', spec.externalTrafficPolicy, trafficPolicies))
  } else if (external) errors.push(required('spec.externalTrafficPolicy'))
  if (spec.internalTrafficPolicy && !trafficPolicies.includes(spec.internalTrafficPolicy))
    errors.push(notSupported('spec.internalTrafficPolicy', spec.internalTrafficPolicy, trafficPolicies))
  if (spec.trafficDistribution !== undefined && !trafficDistributions.includes(spec.trafficDistribution))
    errors.push(notSupported('spec.trafficDistribution', spec.trafficDistribution, trafficDistributions))
  if (spec.ipFamilyPolicy && !familyPolicies.includes(spec.ipFamilyPolicy))
    errors.push(notSupported('spec.ipFamilyPolicy', spec.ipFamilyPolicy, familyPolicies))
  spec.ipFamilies?.forEach((family, index) => {
    if (family !== 'IPv4' && family !== 'IPv6') errors.push(notSupported(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']))
  })
  if (spec.loadBalancerClass && spec.type !== 'LoadBalancer')
    errors.push(forbiddenField('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer')
    errors.push(forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  return errors
}

export function validateServiceUpdate(draft: V1Service, stored: V1Service): FieldError[] {
  const errors: FieldError[] = []
  const kept = draft.spec.type !== 'ExternalName' && stored.spec.type !== 'ExternalName'
  if (kept && stored.spec.clusterIP && !sameJson(draft.spec.clusterIP, stored.spec.clusterIP))
    errors.push(invalidValue('spec.clusterIPs[0]', draft.spec.clusterIPs ?? [], 'may not change once set'))
  if (draft.spec.type === 'LoadBalancer' && stored.spec.type === 'LoadBalancer' && draft.spec.loadBalancerClass !== stored.spec.loadBalancerClass)
    errors.push(invalidValue('spec.loadBalancerClass', draft.spec.loadBalancerClass, 'may not change once set'))
  return [...errors, ...validateService(draft)]
}
