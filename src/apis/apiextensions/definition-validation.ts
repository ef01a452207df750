/** What is checked of a CustomResourceDefinition; the schemas' own rules are in `structural-validation.ts`. */
import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDns1035Label, isDnsSubdomain } from '../../machinery/names.ts'
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionNames, V1CustomResourceDefinitionVersion } from '../../machinery/schema/generated/types.ts'
import { immutable } from '../immutable.ts'
import { validateStructuralSchema } from './structural-validation.ts'

const scopes = ['Cluster', 'Namespaced']
const strategies = ['None', 'Webhook']
const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const approval = 'api-approved.kubernetes.io'

export function validateDefinition({ metadata, spec }: V1CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', names, scope, versions = [], conversion } = spec ?? {}
  const expected = `${names?.plural ?? ''}.${group}`
  if (metadata.name !== expected) errors.push(invalidValue('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`))
  errors.push(...validateGroup(group, metadata.annotations))
  if (!scope) errors.push(required('spec.scope'))
  else if (!scopes.includes(scope)) errors.push(notSupported('spec.scope', scope, scopes))
  const versionNames = versions.map((version) => version.name)
  if (new Set(versionNames).size !== versionNames.length) errors.push(invalidValue('spec.versions', versionNames, 'must contain unique version names'))
  if (versions.filter((version) => version.storage).length !== 1)
    errors.push(invalidValue('spec.versions', versionNames, 'must have exactly one version marked as storage version'))
  versions.forEach((version, index) => {
    errors.push(...validateVersion(version, `spec.versions[${index}]`))
  })
  errors.push(...validateNames(names))
  if (spec?.preserveUnknownFields) errors.push(invalidValue('spec.preserveUnknownFields', true, 'must be false'))
  const { strategy } = conversion ?? {}
  if (strategy && !strategies.includes(strategy)) errors.push(notSupported('spec.conversion.strategy', strategy, strategies))
  if (strategy === 'Webhook' && !conversion?.webhook?.clientConfig)
    errors.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'))
  return errors
}

function validateGroup(group: string, annotations: Record<string, string> | undefined): FieldError[] {
  if (group === '') return [required('spec.group')]
  const errors = isDnsSubdomain(group).map((message) => invalidValue('spec.group', group, message))
  if (!group.includes('.')) errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  // These domains are Kubernetes' own.
  const isProtected = ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`))
  if (isProtected && !annotations?.[approval])
    errors.push(
      required(
        `metadata.annotations[${approval}]`,
        `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
      ),
    )
  return errors
}

function validateNames(names: V1CustomResourceDefinitionNames | undefined): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const name = names?.[field]
    if (!name) errors.push(required(`spec.names.${field}`))
    else {
      const mixed = field === 'kind' || field === 'listKind'
      for (const message of isDns1035Label(name.toLowerCase()))
        errors.push(invalidValue(`spec.names.${field}`, name, mixed ? `may have mixed case, but should otherwise match: ${message}` : message))
      if (!mixed && name !== name.toLowerCase()) for (const message of isDns1035Label(name)) errors.push(invalidValue(`spec.names.${field}`, name, message))
    }
  }
  for (const list of ['shortNames', 'categories'] as const)
    names?.[list]?.forEach((name, index) => {
      for (const message of isDns1035Label(name)) errors.push(invalidValue(`spec.names.${list}[${index}]`, name, message))
    })
  if (names?.kind && names.kind === names.listKind) errors.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  return errors
}

function validateVersion(version: V1CustomResourceDefinitionVersion, at: string): FieldError[] {
  const errors = isDns1035Label(version.name ?? '').map((message) => invalidValue(`${at}.name`, version.name, message))
  if (version.deprecationWarning !== undefined && !version.deprecated)
    errors.push(invalidValue(`${at}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'))
  const schema = version.schema?.openAPIV3Schema
  errors.push(
    ...(schema ? validateStructuralSchema(schema, `${at}.schema.openAPIV3Schema`) : [required(`${at}.schema.openAPIV3Schema`, 'schemas are required')]),
  )
  version.additionalPrinterColumns?.forEach(({ name, type, jsonPath }, index) => {
    const here = `${at}.additionalPrinterColumns[${index}]`
    if (!name) errors.push(required(`${here}.name`))
    if (!type) errors.push(required(`${here}.type`, `must be one of ${columnTypes.join(',')}`))
    else if (!columnTypes.includes(type)) errors.push(invalidValue(`${here}.type`, type, `must be one of ${columnTypes.join(',')}`))
    if (!jsonPath) errors.push(required(`${here}.jsonPath`))
    else errors.push(...validatePath(jsonPath, `${here}.jsonPath`))
  })
  const { scale } = version.subresources ?? {}
  if (scale) {
    const paths = { specReplicasPath: '.spec.', statusReplicasPath: '.status.', labelSelectorPath: '' }
    for (const [field, prefix] of Object.entries(paths)) {
      const path = scale[field as keyof typeof paths]
      const here = `${at}.subresources.scale.${field}`
      if (!path) {
        if (prefix) errors.push(required(here))
      } else {
        errors.push(...validatePath(path, here))
        if (prefix && !path.startsWith(prefix)) errors.push(invalidValue(here, path, `should be a json path under ${prefix.slice(0, -1)}`))
      }
    }
  }
  return errors
}

function validatePath(path: string, field: string): FieldError[] {
  return path.startsWith('.') ? [] : [invalidValue(field, path, 'must be a simple json path starting with .')]
}

export function validateDefinitionUpdate(draft: V1CustomResourceDefinition, stored: V1CustomResourceDefinition): FieldError[] {
  const errors = validateDefinition(draft)
  const established = stored.status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True')
  errors.push(...immutable('spec.group', draft.spec.group, stored.spec.group))
  errors.push(...immutable('spec.names.plural', draft.spec.names?.plural, stored.spec.names.plural))
  if (established) {
    errors.push(...immutable('spec.scope', draft.spec.scope, stored.spec.scope))
    errors.push(...immutable('spec.names.kind', draft.spec.names?.kind, stored.spec.names.kind))
  }
  const known = new Set(draft.spec.versions?.map((version) => version.name))
  draft.status?.storedVersions?.forEach((version, index) => {
    if (!known.has(version)) errors.push(invalidValue(`status.storedVersions[${index}]`, version, 'must appear in spec.versions'))
  })
  return errors
}
