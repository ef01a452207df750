/** Formats of single values; each returns the messages of what is wrong, empty when nothing is. */
import { isIP } from 'node:net'

export const nonNegative = 'must be greater than or equal to 0'
export const positive = 'must be greater than 0'

export const isPortNumber = (port: number): string[] => (Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'])

/** Names of ports: those that IANA would take for a service. */
export function isPortName(name: string): string[] {
  const errors: string[] = []
  if (name.length > 15) errors.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(name)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)')
  if (name.includes('--')) errors.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

export const isPortNumberOrName = (port: number | string): string[] => (typeof port === 'number' ? isPortNumber(port) : isPortName(port))

export function isEnvVarName(name: string): string[] {
  return /^[ -<>-~]+$/.test(name) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** Keys of ConfigMaps and Secrets. */
export function isConfigKey(key: string): string[] {
  const errors: string[] = []
  if (key.length > 253) errors.push('must be no more than 253 bytes')
  if (!/^[-._a-zA-Z0-9]+$/.test(key))
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    )
  if (key === '.') errors.push("must not be '.'")
  else if (key === '..') errors.push("must not be '..'")
  else if (key.startsWith('..')) errors.push("must not start with '..'")
  return errors
}

export const isIpAddress = (text: string): string[] => (isIP(text) ? [] : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'])

export function isCidr(text: string): string[] {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  const good = family !== 0 && rest.length === 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  return good ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']
}

const wildcardLabel = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

export function isWildcardSubdomain(name: string): string[] {
  const errors: string[] = []
  if (name.length > 253) errors.push('must be no more than 253 bytes')
  if (!wildcardLabel.test(name))
    errors.push(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    )
  return errors
}

export const isHttpHeaderName = (name: string): string[] =>
  /^[-A-Za-z0-9]+$/.test(name)
    ? []
    : ["a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"]

/** A path inside a volume: relative, and never upwards. */
export function isDescendingPath(path: string): string[] {
  const errors: string[] = []
  if (path.startsWith('/')) errors.push('must be a relative path')
  if (path.split('/').includes('..')) errors.push("must not contain '..'")
  return errors
}

/** A path of one file among others that a volume writes: also not one of the volume's own names. */
export function isFilePathInVolume(path: string): string[] {
  const errors = isDescendingPath(path)
  if (path.startsWith('..') && !path.split('/').includes('..')) errors.push("must not start with '..'")
  return errors
}
