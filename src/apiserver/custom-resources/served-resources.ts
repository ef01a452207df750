/** What a definition serves: a {@link Resource} for each of its versions, like any built-in one. */
import { defineResource } from '../../apis/define-resource.ts'
import type { Resource, ResourceSpec, Subresource } from '../../apis/resource.ts'
import { keepField, scaleSubresource, statusSubresource } from '../../apis/subresources.ts'
import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import type { AnyObject } from '../../machinery/object.ts'
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionVersion } from '../../machinery/schema/generated/types.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { cloneJson } from '../negotiation/clone-json.ts'
import { applyDefaults, hasDefaults } from './defaulting.ts'
import type { JsonSchema } from './json-schema.ts'
import { columnsOf } from './printer-columns.ts'
import { publish } from './published-schema.ts'
import { errorsOfChanges } from './ratcheting.ts'
import { rulesOf } from './rules.ts'
import { validateAgainst } from './schema-validation.ts'
import { selectableFieldsOf } from './selectable-fields.ts'
import { structOf } from './structural-schema.ts'

/** `com.example.stable.v1.CronTab`: the name of a custom kind among the definitions of the schema. */
const modelOf = (group: string, version: string, kind: string) => `${group.split('.').reverse().join('.')}.${version}.${kind}`

export function servedResources(definition: V1CustomResourceDefinition, schema: Schema): Resource[] {
  const { spec } = definition
  const storage = spec.versions.find((version) => version.storage)
  if (!storage) return []
  const stored = defineResource<AnyObject>(base(definition, storage))
  return spec.versions.filter((version) => version.served).map((version) => served(definition, version, stored, schema))
}

function base({ spec, status }: V1CustomResourceDefinition, { name: version }: V1CustomResourceDefinitionVersion): ResourceSpec<AnyObject> {
  const { group, scope } = spec
  const names = status?.acceptedNames ?? spec.names
  const { kind, plural, singular = kind.toLowerCase(), shortNames = [], categories = [] } = names
  const model = modelOf(group, version, kind)
  return { group, version, kind, plural, singular, shortNames, categories, namespaced: scope === 'Namespaced', model, storagePrefix: `${group}/${plural}` }
}

function served(definition: V1CustomResourceDefinition, version: V1CustomResourceDefinitionVersion, stored: Resource, schema: Schema): Resource {
  const named = base(definition, version)
  const json = (version.schema?.openAPIV3Schema ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }) as JsonSchema
  const struct = structOf(named.model, json, schema.model('V1ObjectMeta'))
  schema.define(named.model, struct, (definitionName, ref, dialect) => publish(named, json, definitionName, ref, dialect))
  const { status, scale } = version.subresources ?? {}
  const defaulted = hasDefaults(json)
  const rules = rulesOf(json)
  const check = (object: AnyObject, before: AnyObject | undefined): FieldError[] => {
    const errors = validateAgainst(json, object)
    if (!rules) return errors
    return errors.some(isBlocking) ? [...errors, notChecked] : [...errors, ...rules.check(object, before)]
  }
  const validate = (object: AnyObject) => check(object, undefined)
  const validateUpdate = (draft: AnyObject, before: AnyObject) => errorsOfChanges(check(draft, before), draft, before)
  const defaults = (draft: AnyObject) => defaulted && applyDefaults(json, draft)
  return defineResource<AnyObject>({
    ...named,
    generation: true,
    subresources: subresourcesOf(version, validateUpdate),
    ...(scale ? { scale: { specReplicas: scale.specReplicasPath, statusReplicas: scale.statusReplicasPath, ...selectorOf(scale.labelSelectorPath) } } : {}),
    columns: columnsOf(version.additionalPrinterColumns),
    selectableFields: selectableFieldsOf(version.selectableFields),
    ...(version.deprecated ? { deprecation: version.deprecationWarning ?? `${named.group}/${named.version} ${named.kind} is deprecated` } : {}),
    fingerprint: JSON.stringify([definition.metadata.uid, definition.metadata.generation]),
    storedAs: {
      resource: stored,
      toStored: (object) => object,
      fromStored: (object) => asOfVersion(object, named.model, schema, defaults),
    },
    applyDefaults: defaults,
    prepareForCreate(draft) {
      if (status) delete draft.status
    },
    prepareForUpdate(draft, before) {
      if (status) keepField(draft, before, 'status')
    },
    validate,
    validateUpdate,
  })
}

/** Rules count on types, sizes and what must be there. */
const blocking = new Set(['FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'])
const isBlocking = ({ reason }: FieldError) => blocking.has(reason)
const notChecked = invalidValue(
  '<nil>',
  'null',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

const selectorOf = (selector: string | undefined) => (selector ? { selector } : {})

function subresourcesOf(
  { subresources }: V1CustomResourceDefinitionVersion,
  validateUpdate: (draft: AnyObject, stored: AnyObject) => FieldError[],
): Subresource<AnyObject>[] {
  return [
    ...(subresources?.status ? [statusSubresource<AnyObject>({ validateUpdate })] : []),
    ...(subresources?.scale ? [scaleSubresource as unknown as Subresource<AnyObject>] : []),
  ]
}

/** What was stored under another version, or another schema, is shown as this one has it: its fields alone, its defaults too. */
function asOfVersion(object: AnyObject, model: string, schema: Schema, defaults: (draft: AnyObject) => unknown): AnyObject {
  const draft = cloneJson(schema.prune(model, object))
  defaults(draft)
  return draft
}
