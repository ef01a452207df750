import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsSubdomain } from '../../machinery/names.ts'
import type { V1EnvFromSource, V1EnvVar, V1EnvVarSource } from '../../machinery/schema/generated/types.ts'
import { isConfigKey, isDescendingPath, isEnvVarName } from '../formats.ts'
import { validateFieldRef, validateResourceFieldRef } from './downward-references.ts'

export function validateEnv(variables: readonly V1EnvVar[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  variables?.forEach((variable, index) => {
    const here = `${at}[${index}]`
    if (!variable.name) errors.push(required(`${here}.name`))
    else for (const message of isEnvVarName(variable.name)) errors.push(invalidValue(`${here}.name`, variable.name, message))
    if (variable.valueFrom) errors.push(...validateValueFrom(variable.valueFrom, variable.value, `${here}.valueFrom`))
  })
  return errors
}

/** What a variable's field reference may name; volumes may name more. */
const fieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const resources = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']

function validateValueFrom(source: V1EnvVarSource, value: string | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  const kinds = [source.fieldRef, source.resourceFieldRef, source.configMapKeyRef, source.secretKeyRef, source.fileKeyRef].filter((one) => one !== undefined)
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, fieldPaths, `${at}.fieldRef`))
  if (source.resourceFieldRef) errors.push(...validateResourceFieldRef(source.resourceFieldRef, resources, `${at}.resourceFieldRef`, false))
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[kind]
    if (reference) errors.push(...validateKeyReference(reference, `${at}.${kind}`))
  }
  if (source.fileKeyRef) {
    for (const field of ['key', 'path', 'volumeName'] as const) if (!source.fileKeyRef[field]) errors.push(required(`${at}.fileKeyRef.${field}`))
    const { path } = source.fileKeyRef
    errors.push(...isDescendingPath(path ?? '').map((message) => invalidValue(`${at}.fileKeyRef.path`, path, message)))
  }
  if (kinds.length === 0) errors.push(invalidValue(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'))
  else if (value) errors.push(invalidValue(at, '', 'may not be specified when `value` is not empty'))
  else if (kinds.length > 1) errors.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
  return errors
}

function validateKeyReference({ name, key }: { name?: string; key?: string }, at: string): FieldError[] {
  const errors = isDnsSubdomain(name ?? '').map((message) => invalidValue(`${at}.name`, name ?? '', message))
  if (!key) errors.push(required(`${at}.key`))
  else errors.push(...isConfigKey(key).map((message) => invalidValue(`${at}.key`, key, message)))
  return errors
}

export function validateEnvFrom(sources: readonly V1EnvFromSource[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  sources?.forEach((source, index) => {
    const here = `${at}[${index}]`
    if (source.prefix) for (const message of isEnvVarName(source.prefix)) errors.push(invalidValue(`${here}.prefix`, source.prefix, message))
    let count = 0
    for (const kind of ['configMapRef', 'secretRef'] as const) {
      const reference = source[kind]
      if (!reference) continue
      count++
      for (const message of isDnsSubdomain(reference.name ?? '')) errors.push(invalidValue(`${here}.${kind}.name`, reference.name ?? '', message))
    }
    if (count === 0) errors.push(invalidValue(here, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (count > 1) errors.push(invalidValue(here, '', 'may not have more than one field specified at a time'))
  })
  return errors
}

export const pullPolicies: readonly string[] = ['Always', 'IfNotPresent', 'Never']
export function validatePullPolicy(policy: string | undefined, at: string): FieldError[] {
  if (!policy) return [required(at)]
  return pullPolicies.includes(policy) ? [] : [notSupported(at, policy, pullPolicies)]
}
