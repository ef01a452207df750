/** Rules for keys and values of labels, in upstream's words. Each returns what is wrong, empty when nothing is. */
import { isDnsSubdomain } from './names.ts'

const name = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const value = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const nameForm =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

/** `[prefix/]name`. */
export function isQualifiedName(text: string): string[] {
  const parts = text.split('/')
  if (parts.length > 2) return [`a qualified name ${nameForm} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const errors: string[] = []
  const last = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const prefix = parts[0] ?? ''
    if (prefix === '') errors.push('prefix part must be non-empty')
    else errors.push(...isDnsSubdomain(prefix).map((message) => `prefix part ${message}`))
  }
  if (last === '') errors.push('name part must be non-empty')
  else if (last.length > 63) errors.push('name part must be no more than 63 bytes')
  if (!name.test(last)) errors.push(`name part ${nameForm}`)
  return errors
}

export function isLabelValue(text: string): string[] {
  const errors: string[] = []
  if (text.length > 63) errors.push('must be no more than 63 bytes')
  if (!value.test(text))
    errors.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    )
  return errors
}
