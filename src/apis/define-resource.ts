import { isDnsSubdomain } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Resource, ResourceSpec, Verb } from './resource.ts'

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const nothing = () => {}
const noErrors = () => []

/** Completes the declaration of a resource with what holds for most of them. */
export function defineResource<T extends KubeObject>(spec: ResourceSpec<T>): Resource<T> {
  return {
    singular: spec.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    subresources: [],
    generation: false,
    selectableFields: {},
    columns: [],
    storagePrefix: spec.plural,
    validateName: isDnsSubdomain,
    applyDefaults: nothing,
    prepareForCreate: nothing,
    prepareForUpdate: nothing,
    validate: noErrors,
    validateUpdate: noErrors,
    warnings: noErrors,
    ...spec,
  }
}
