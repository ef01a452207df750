/** All built-in resources: those with a file of their own, and the rest as the schema alone tells. */
import type { ResourceFact, SchemaFile } from '../machinery/schema/schema-file.ts'
import { defineResource } from './define-resource.ts'
import type { Resource, Verb } from './resource.ts'

/** Resources that have their own file. */
const declared: readonly Resource[] = []

function fromFact(fact: ResourceFact): Resource {
  return defineResource({
    group: fact.group,
    version: fact.version,
    kind: fact.kind,
    plural: fact.plural,
    namespaced: fact.namespaced,
    model: fact.model,
    verbs: fact.verbs as Verb[],
    virtual: !fact.verbs.includes('get'),
    subresources: 'status' in fact.subresources ? [{ name: 'status', verbs: ['get', 'update', 'patch'] }] : [],
  })
}

export function builtInResources(schema: SchemaFile): readonly Resource[] {
  const own = new Set(declared.map((resource) => `${resource.group}/${resource.version}/${resource.plural}`))
  const rest = schema.resources.filter((fact) => !own.has(`${fact.group}/${fact.version}/${fact.plural}`)).map(fromFact)
  return [...declared, ...rest]
}
