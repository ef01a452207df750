/** The selectors of a list or watch, compiled into one {@link Selection}. */
import type { Resource } from '../../apis/resource.ts'
import { badRequest } from '../../machinery/errors.ts'
import { parseFieldSelector } from '../../machinery/field-selectors.ts'
import type { AnyObject } from '../../machinery/object.ts'
import { parseLabelSelector, SelectorError } from '../../machinery/selectors.ts'
import type { Selection } from '../watch-cache/selection.ts'

export function parseSelection(resource: Resource, namespace: string, labelText: string | null, fieldText: string | null): Selection {
  const terms = fieldText ? parsed(() => parseFieldSelector(fieldText)).requirements : []
  for (const { field } of terms) if (!readerOf(resource, field)) throw badRequest(`field label not supported: ${field}`)
  const labels = labelText ? parsed(() => parseLabelSelector(labelText)) : undefined
  const fields = new Map<string, string>()
  for (const { field, operator, value } of terms) if (operator === '=') fields.set(field, value)
  const tests = terms.map(({ field, operator, value }) => {
    const read = readerOf(resource, field) ?? (() => '')
    return (object: AnyObject) => (read(object) === value) === (operator === '=')
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

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message)
    throw error
  }
}

function readerOf(resource: Resource, field: string): ((object: AnyObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? ''
  return resource.selectableFields[field]
}
