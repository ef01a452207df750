import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1NetworkPolicy, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, selectorText, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isCidr, isPortNumberOrName } from '../formats.ts'
import { validateLabelSelector } from '../selector-validation.ts'

export const NetworkPolicy = defineResource<V1NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  shortNames: ['netpol'],
  namespaced: true,
  model: 'V1NetworkPolicy',
  generation: true,
  columns: [nameColumn, text('Pod-Selector', ({ spec }) => selectorText(spec?.podSelector)), ageColumn],
  applyDefaults(policy) {
    policy.spec ??= {}
    const { spec } = policy
    spec.podSelector ??= {}
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate: validatePolicy,
  validateUpdate: validatePolicy,
})

const types = ['Egress', 'Ingress']
const protocols = ['SCTP', 'TCP', 'UDP']

function validatePolicy({ spec = {} }: V1NetworkPolicy): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector')
  spec.ingress?.forEach((rule, index) => {
    errors.push(...validatePorts(rule.ports, `spec.ingress[${index}].ports`), ...validatePeers(rule.from, `spec.ingress[${index}].from`))
  })
  spec.egress?.forEach((rule, index) => {
    errors.push(...validatePorts(rule.ports, `spec.egress[${index}].ports`), ...validatePeers(rule.to, `spec.egress[${index}].to`))
  })
  if ((spec.policyTypes?.length ?? 0) > 2) errors.push(invalidValue('spec.policyTypes', spec.policyTypes, 'may not specify more than two policyTypes'))
  else
    spec.policyTypes?.forEach((type, index) => {
      if (!types.includes(type)) errors.push(notSupported(`spec.policyTypes[${index}]`, type, types))
    })
  return errors
}

function validatePorts(ports: readonly V1NetworkPolicyPort[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  ports?.forEach(({ port, endPort, protocol }, index) => {
    const here = `${at}[${index}]`
    if (protocol && !protocols.includes(protocol)) errors.push(notSupported(`${here}.protocol`, protocol, protocols))
    if (port !== undefined) for (const message of isPortNumberOrName(port)) errors.push(invalidValue(`${here}.port`, port, message))
    if (endPort === undefined) return
    if (typeof port === 'string') errors.push(invalidValue(`${here}.endPort`, endPort, 'may not be specified when `port` is non-numeric'))
    else if (port === undefined) errors.push(invalidValue(`${here}.endPort`, endPort, 'may not be specified when `port` is not specified'))
    else if (endPort < port) errors.push(invalidValue(`${here}.endPort`, endPort, 'must be greater than or equal to `port`'))
  })
  return errors
}

function validatePeers(peers: readonly V1NetworkPolicyPeer[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  peers?.forEach(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const here = `${at}[${index}]`
    errors.push(...validateLabelSelector(podSelector, `${here}.podSelector`), ...validateLabelSelector(namespaceSelector, `${here}.namespaceSelector`))
    if (ipBlock) {
      for (const range of [ipBlock.cidr, ...(ipBlock.except ?? [])])
        for (const message of isCidr(range ?? '')) errors.push(invalidValue(`${here}.ipBlock.cidr`, range ?? '', message))
      if (podSelector || namespaceSelector) errors.push(forbiddenField(here, 'may not specify both ipBlock and another peer'))
    } else if (!podSelector && !namespaceSelector) errors.push(required(here, 'must specify a peer'))
  })
  return errors
}
