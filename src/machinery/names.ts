/**
 * Rules for names (RFC 1123 labels and subdomains, RFC 1035 labels). Each returns the messages of what is
 * wrong, in upstream's words, empty when the name is good.
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dnsLabel = new RegExp(`^${label}$`)
const dnsSubdomain = new RegExp(`^${label}(\\.${label})*$`)
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/

export function isDnsLabel(name: string): string[] {
  const errors: string[] = []
  if (name.length > 63) errors.push('must be no more than 63 bytes')
  if (!dnsLabel.test(name))
    errors.push(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    )
  return errors
}

export function isDnsSubdomain(name: string): string[] {
  const errors: string[] = []
  if (name.length > 253) errors.push('must be no more than 253 bytes')
  if (!dnsSubdomain.test(name))
    errors.push(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    )
  return errors
}

export function isDns1035Label(name: string): string[] {
  const errors: string[] = []
  if (name.length > 63) errors.push('must be no more than 63 bytes')
  if (!dns1035Label.test(name))
    errors.push(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    )
  return errors
}

/** The rule of names that may hold nearly anything (RBAC objects): what can stand as one segment of a path. */
export function isPathSegment(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`]
  return ['/', '%'].filter((character) => name.includes(character)).map((character) => `may not contain '${character}'`)
}
