import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import type { V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { isIpAddress } from '../formats.ts'

const policies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']
const maxNameservers = 3
const maxSearches = 32

export function validateDns({ dnsPolicy, dnsConfig, hostAliases }: V1PodSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!dnsPolicy) errors.push(required(`${at}.dnsPolicy`))
  else if (!policies.includes(dnsPolicy)) errors.push(notSupported(`${at}.dnsPolicy`, dnsPolicy, policies))
  const here = `${at}.dnsConfig`
  if (dnsPolicy === 'None') {
    if (!dnsConfig) errors.push(required(here, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    else if (!dnsConfig.nameservers?.length) errors.push(required(`${here}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
  }
  if (dnsConfig) {
    const { nameservers = [], searches = [], options = [] } = dnsConfig
    if (nameservers.length > maxNameservers)
      errors.push(invalidValue(`${here}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`))
    nameservers.forEach((address, index) => {
      for (const message of isIpAddress(address)) errors.push(invalidValue(`${here}.nameservers[${index}]`, address, message))
    })
    if (searches.length > maxSearches) errors.push(invalidValue(`${here}.searches`, searches, `must not have more than ${maxSearches} search paths`))
    searches.forEach((search, index) => {
      const name = search.endsWith('.') ? search.slice(0, -1) : search
      if (name !== '') for (const message of isDnsSubdomain(name.replaceAll('_', '-'))) errors.push(invalidValue(`${here}.searches[${index}]`, search, message))
    })
    options.forEach((option, index) => {
      if (!option.name) errors.push(required(`${here}.options[${index}]`, 'must not be empty'))
    })
  }
  hostAliases?.forEach((alias, index) => {
    for (const message of isIpAddress(alias.ip ?? '')) errors.push(invalidValue(`${at}.hostAliases[${index}].ip`, alias.ip ?? '', message))
    for (const name of alias.hostnames ?? [])
      for (const message of isDnsSubdomain(name)) errors.push(invalidValue(`${at}.hostAliases[${index}].hostnames`, name, message))
  })
  return errors
}
