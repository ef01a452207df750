/** What is wrong with a patch, as upstream words it: 422 with the field `patch`. */
import { type ApiError, invalid } from '../../machinery/errors.ts'
import { invalidValue } from '../../machinery/field-error.ts'

const nobody = { group: '', kind: '', name: '' }

/** JSON and merge patches are told by the whole object that they made. */
export const patchedInvalid = (patched: unknown, message: string): ApiError => invalid(nobody, [invalidValue('patch', JSON.stringify(patched), message)])

/** Strategic merge patches are told by themselves. */
export const strategicPatchInvalid = (patch: unknown, message: string): ApiError =>
  invalid(nobody, [invalidValue('patch', printed(patch), conversionError(message))])

const goKinds: Readonly<Record<string, string>> = { object: 'map', array: 'slice', number: 'int64' }

/** The decoder's message in the words of the converter that upstream patches objects with. */
function conversionError(message: string): string {
  const [, given = '', type] = /^json: cannot unmarshal (\w+).* of type (.+)$/.exec(message) ?? []
  if (type === undefined) return message
  const from = goKinds[given] ?? given
  if (type.startsWith('[]')) return `cannot restore slice from ${from}`
  if (type.startsWith('map[')) return `cannot restore map from ${from}`
  return type.includes('.') ? `cannot restore struct from: ${from}` : `unrecognized type: ${type}`
}

/** A value as Go prints it: `map[spec:map[replicas:x]]`. */
function printed(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([name, one]) => `${name}:${printed(one)}`).join(' ')}]`
}
