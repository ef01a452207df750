import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1Endpoints } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isIpAddress, isPortNumber } from '../formats.ts'

const protocols = ['SCTP', 'TCP', 'UDP']
const shown = 3

export const Endpoints = defineResource<V1Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  model: 'V1Endpoints',
  storagePrefix: 'services/endpoints',
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [nameColumn, text('Endpoints', addressesText), ageColumn],
  applyDefaults(endpoints) {
    for (const subset of endpoints.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate: validateEndpoints,
  validateUpdate: validateEndpoints,
})

function addressesText({ subsets = [] }: V1Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map((one) => one.ip)
      : ports.flatMap((port) => addresses.map((one) => (one.ip.includes(':') ? `[${one.ip}]:${port.port}` : `${one.ip}:${port.port}`))),
  )
  if (all.length === 0) return '<none>'
  return all.length > shown ? `${all.slice(0, shown).join(',')} + ${all.length - shown} more...` : all.join(',')
}

function validateEndpoints({ subsets = [] }: V1Endpoints): FieldError[] {
  const errors: FieldError[] = []
  subsets.forEach((subset, index) => {
    const at = `subsets[${index}]`
    if (!subset.addresses?.length && !subset.notReadyAddresses?.length) errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'))
    for (const list of ['addresses', 'notReadyAddresses'] as const)
      subset[list]?.forEach(({ ip }, position) => {
        for (const message of isIpAddress(ip ?? '')) errors.push(invalidValue(`${at}.${list}[${position}].ip`, ip ?? '', message))
      })
    subset.ports?.forEach((port, position) => {
      const here = `${at}.ports[${position}]`
      if (!port.name && (subset.ports?.length ?? 0) > 1) errors.push(required(`${here}.name`))
      else if (port.name) for (const message of isDnsLabel(port.name)) errors.push(invalidValue(`${here}.name`, port.name, message))
      for (const message of isPortNumber(port.port ?? 0)) errors.push(invalidValue(`${here}.port`, port.port ?? 0, message))
      if (!port.protocol) errors.push(required(`${here}.protocol`))
      else if (!protocols.includes(port.protocol)) errors.push(notSupported(`${here}.protocol`, port.protocol, protocols))
    })
  })
  return errors
}
