import { isIP } from 'node:net'
import { duplicate, type FieldError, invalidValue, notSupported, required, tooMany } from '../../machinery/field-error.ts'
import { isDnsLabel, isDnsSubdomain } from '../../machinery/names.ts'
import type { V1Endpoint, V1EndpointSlice } from '../../machinery/schema/generated/types.ts'
import { ageColumn, listText, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { isPortNumber } from '../formats.ts'
import { immutable } from '../immutable.ts'

/** When the cause of the last change was: by it proxies measure how long it takes until traffic follows (upstream's network programming latency). */
export const changeTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

const addressTypes = ['FQDN', 'IPv4', 'IPv6']
const protocols = ['SCTP', 'TCP', 'UDP']
const shown = 3

export const EndpointSlice = defineResource<V1EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  model: 'V1EndpointSlice',
  generation: true,
  columns: [
    nameColumn,
    text('AddressType', (slice) => slice.addressType),
    text('Ports', ({ ports = [] }) =>
      ports.length === 0
        ? '<unset>'
        : listText(
            ports.map(({ port }) => (port === undefined ? '*' : `${port}`)),
            shown,
          ),
    ),
    text('Endpoints', ({ endpoints = [] }) =>
      endpoints.length === 0
        ? '<unset>'
        : listText(
            endpoints.flatMap((one) => one.addresses),
            shown,
          ),
    ),
    ageColumn,
  ],
  applyDefaults(slice) {
    slice.endpoints ??= []
    for (const port of slice.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate: validateSlice,
  validateUpdate: (draft, stored) => [...validateSlice(draft), ...immutable('addressType', draft.addressType, stored.addressType)],
})

function validateSlice({ addressType, endpoints = [], ports = [] }: V1EndpointSlice): FieldError[] {
  const errors: FieldError[] = []
  if (!addressType) errors.push(required('addressType'))
  else if (!addressTypes.includes(addressType)) errors.push(notSupported('addressType', addressType, addressTypes))
  if (endpoints.length > 1000) return [...errors, tooMany('endpoints', endpoints.length, 1000)]
  endpoints.forEach((endpoint, index) => {
    errors.push(...validateEndpoint(endpoint, addressType, `endpoints[${index}]`))
  })
  if (ports.length > 20000) return [...errors, tooMany('ports', ports.length, 20000)]
  const names = new Set<string>()
  ports.forEach((port, index) => {
    const at = `ports[${index}]`
    const name = port.name ?? ''
    if (name !== '') for (const message of isDnsLabel(name)) errors.push(invalidValue(`${at}.name`, name, message))
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (port.port !== undefined) for (const message of isPortNumber(port.port)) errors.push(invalidValue(`${at}.port`, port.port, message))
    if (!port.protocol) errors.push(required(`${at}.protocol`))
    else if (!protocols.includes(port.protocol)) errors.push(notSupported(`${at}.protocol`, port.protocol, protocols))
  })
  return errors
}

function validateEndpoint(endpoint: V1Endpoint, addressType: string, at: string): FieldError[] {
  const errors: FieldError[] = []
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) errors.push(required(`${at}.addresses`, 'must contain at least 1 address'))
  if (addresses.length > 100) errors.push(tooMany(`${at}.addresses`, addresses.length, 100))
  addresses.forEach((address, index) => {
    const here = `${at}.addresses[${index}]`
    if (addressType === 'IPv4' && isIP(address) !== 4) errors.push(invalidValue(here, address, 'must be an IPv4 address'))
    if (addressType === 'IPv6' && isIP(address) !== 6) errors.push(invalidValue(here, address, 'must be an IPv6 address'))
    if (addressType === 'FQDN') for (const message of isDnsSubdomain(address)) errors.push(invalidValue(here, address, message))
  })
  if (endpoint.nodeName) for (const message of isDnsSubdomain(endpoint.nodeName)) errors.push(invalidValue(`${at}.nodeName`, endpoint.nodeName, message))
  if (endpoint.hostname !== undefined)
    for (const message of isDnsLabel(endpoint.hostname)) errors.push(invalidValue(`${at}.hostname`, endpoint.hostname, message))
  return errors
}
