/** The selectors of a list or watch, compiled into one {@link Selection}. */
import type { Resource } from '../../apis/resource.ts'
import { badRequest } from '../../machinery/errors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { parseLabelSelector, SelectorError } from '../../machinery/selectors.ts'
import type { Selection } from '../watch-cache/selection.ts'

interface FieldTerm {
  field: string
  equals: boolean
  value: string
}

export function parseSelection(resource: Resource, namespace: string, labelText: string | null, fieldText: string | null): Selection {
  const terms = fieldText ? parseFields(fieldText) : []
  for (const { field } of terms) if (!readerOf(resource, field)) throw badRequest(`field label not supported: ${field}`)
  const labels = labelText ? readLabels(labelText) : undefined
  const fields = new Map<string, string>()
  for (const { field, equals, value } of terms) if (equals) fields.set(field, value)
  const tests = terms.map(({ field, equals, value }) => {
    const read = readerOf(resource, field) ?? (() => '')
    return (object: AnyObject) => (read(object) === value) === equals
  })
  if (labels) tests.push((object) => labels.matches(object.metadata.labels))
  // A namespace given as a field selects as one given in the path does.
  const selected = namespace || (resource.namespaced ? (fields.get('metadata.namespace') ?? '') : '')
  return {
    namespace: selected,
    matches: tests.length === 0 ? undefined : tests.length === 1 ? tests[0] : (object) => tests.every((test) => test(object)),
    name: fields.get('metadata.name'),
    fields,
  }
}

function readLabels(text: string) {
  try {
    return parseLabelSelector(text)
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(`unable to parse requirement: ${error.message}`)
    throw error
  }
}

function readerOf(resource: Resource, field: string): ((object: AnyObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? ''
  return resource.selectableFields[field]
}

/** Terms joined by commas; backslashes escape commas, equals signs and themselves. */
function parseFields(text: string): FieldTerm[] {
  const terms: FieldTerm[] = []
  for (const part of splitTerms(text)) {
    if (part === '') continue
    const match = /^((?:\\.|[^\\=!])*)(!=|==|=)(.*)$/s.exec(part)
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`)
    const [, field = '', operator, value = ''] = match
    terms.push({ field, equals: operator !== '!=', value: unescapeValue(value, text) })
  }
  return terms
}

function splitTerms(text: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === ',') {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

function unescapeValue(value: string, whole: string): string {
  if (/(?:^|[^\\])[=]/.test(value)) throw badRequest(`invalid field selector: ${whole}`)
  return value.replace(/\\(.)/gs, '$1')
}
