/** Definitions of values that have a form of their own, and are no models. */
import type { Dialect, Json } from './dialect.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.'

/** By what the schema calls them: a format of a string, or the `raw` of anything. */
export const specialNames: Readonly<Record<string, string>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  'int-or-string': 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  'date-time': `${meta}Time`,
  'micro-time': `${meta}MicroTime`,
  RawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  FieldsV1: `${meta}FieldsV1`,
  JSON: `${apiextensions}JSON`,
  JSONSchemaPropsOrBool: `${apiextensions}JSONSchemaPropsOrBool`,
  JSONSchemaPropsOrArray: `${apiextensions}JSONSchemaPropsOrArray`,
  JSONSchemaPropsOrStringArray: `${apiextensions}JSONSchemaPropsOrStringArray`,
  CustomResourceSubresourceStatus: `${apiextensions}CustomResourceSubresourceStatus`,
}

export const patchDefinition = `${meta}Patch`

export function specialDefinition(dialect: Dialect, definition: string): Json | undefined {
  const make = definitions[definition]
  return make?.(dialect)
}

const either = (description: string, types: string[], text: Json): ((dialect: Dialect) => Json) => {
  return ({ version }) => (version === 3 ? { description, oneOf: types.map((type) => ({ type })) } : { description, ...text })
}

const fixed = (value: Json) => () => value

const definitions: Record<string, (dialect: Dialect) => Json> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': either(
    'An amount of a resource: a decimal number with an optional suffix (n u m k M G T P E for powers of ten, Ki Mi Gi Ti Pi Ei for powers of two) or exponent. It is exact, and is written back in a canonical form: 1000m becomes 1, 1024Mi becomes 1Gi.',
    ['string', 'number'],
    { type: 'string' },
  ),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ({ version }) => ({
    description: 'A whole number or a text: a port by number or name, an amount by count or percentage.',
    format: 'int-or-string',
    ...(version === 3 ? { oneOf: [{ type: 'integer' }, { type: 'string' }] } : { type: 'string' }),
  }),
  [`${meta}Time`]: fixed({ description: 'A point in time, in UTC, to the second (RFC 3339).', format: 'date-time', type: 'string' }),
  [`${meta}MicroTime`]: fixed({ description: 'A point in time, in UTC, to the microsecond (RFC 3339).', format: 'date-time', type: 'string' }),
  [`${meta}FieldsV1`]: fixed({
    description:
      'A set of fields as a tree: names of fields start with f:, keys of items with k:, values with v:, positions with i:, and a dot stands for the field itself.',
    type: 'object',
  }),
  [patchDefinition]: fixed({ description: 'Changes to an object, in the form that the content type of the request says.', type: 'object' }),
  'io.k8s.apimachinery.pkg.runtime.RawExtension': fixed({ description: 'An object of any kind, kept as it is.', type: 'object' }),
  [`${apiextensions}JSON`]: fixed({ description: 'Any JSON value: object, list, text, number, boolean or null.' }),
  [`${apiextensions}JSONSchemaPropsOrBool`]: fixed({ description: 'A schema, or a boolean: true allows everything, false nothing.' }),
  [`${apiextensions}JSONSchemaPropsOrArray`]: fixed({ description: 'A schema, or a list of schemas.' }),
  [`${apiextensions}JSONSchemaPropsOrStringArray`]: fixed({ description: 'A schema, or a list of names.' }),
  [`${apiextensions}CustomResourceSubresourceStatus`]: fixed({
    description: 'How the status of a custom resource is served; there is nothing to set.',
    type: 'object',
  }),
}
