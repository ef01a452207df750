/**
 * What holds for the metadata of every kind. The server calls {@link validateMetadata} at creation and
 * {@link validateMetadataUpdate} at each change; resources check only what is their own.
 */
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '../machinery/field-error.ts'
import { isQualifiedName } from '../machinery/labels.ts'
import { isDnsLabel } from '../machinery/names.ts'
import type { V1ObjectMeta, V1OwnerReference } from '../machinery/schema/generated/types.ts'
import { immutable } from './immutable.ts'
import { validateLabels } from './label-validation.ts'

const maxAnnotationBytes = 256 * 1024
const at = 'metadata'

export interface MetadataRules {
  namespaced: boolean
  validateName(name: string): string[]
  /** Custom resources may have finalizers without a domain; built-in ones may not. */
  anyFinalizer?: boolean
}

export function validateMetadata(metadata: V1ObjectMeta, { namespaced, validateName, anyFinalizer }: MetadataRules): FieldError[] {
  const errors: FieldError[] = []
  if (metadata.generateName) {
    // What is generated is appended, so a prefix may end as a name may not.
    const sample = metadata.generateName.replace(/-$/, 'a')
    for (const message of validateName(sample)) errors.push(invalidValue(`${at}.generateName`, metadata.generateName, message))
  }
  if (!metadata.name) errors.push(required(`${at}.name`, 'name or generateName is required'))
  else for (const message of validateName(metadata.name)) errors.push(invalidValue(`${at}.name`, metadata.name, message))
  if (namespaced) {
    if (!metadata.namespace) errors.push(required(`${at}.namespace`))
    else for (const message of isDnsLabel(metadata.namespace)) errors.push(invalidValue(`${at}.namespace`, metadata.namespace, message))
  } else if (metadata.namespace) errors.push(forbiddenField(`${at}.namespace`, 'not allowed on this type'))
  errors.push(...validateMutableMetadata(metadata, anyFinalizer))
  return errors
}

export function validateMetadataUpdate(draft: V1ObjectMeta, stored: V1ObjectMeta, { anyFinalizer }: Pick<MetadataRules, 'anyFinalizer'> = {}): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const) errors.push(...immutable(`${at}.${field}`, draft[field], stored[field]))
  // Deletion moves these forward by itself; a client may send back what it read, or nothing.
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const)
    if (draft[field] !== undefined) errors.push(...immutable(`${at}.${field}`, draft[field], stored[field]))
  if ((draft.generation ?? 0) < (stored.generation ?? 0)) errors.push(invalidValue(`${at}.generation`, draft.generation ?? 0, 'must not be decremented'))
  if (stored.deletionTimestamp) {
    const added = (draft.finalizers ?? []).filter((one) => !(stored.finalizers ?? []).includes(one))
    if (added.length > 0) {
      const list = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`
      errors.push(forbiddenField(`${at}.finalizers`, `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`))
    }
  }
  errors.push(...validateMutableMetadata(draft, anyFinalizer))
  return errors
}

function validateMutableMetadata(metadata: V1ObjectMeta, anyFinalizer = false): FieldError[] {
  const errors: FieldError[] = []
  if ((metadata.generation ?? 0) < 0) errors.push(invalidValue(`${at}.generation`, metadata.generation, 'must be greater than or equal to 0'))
  if (metadata.labels) errors.push(...validateLabels(metadata.labels, `${at}.labels`))
  if (metadata.annotations) errors.push(...validateAnnotations(metadata.annotations, `${at}.annotations`))
  if (metadata.ownerReferences) errors.push(...validateOwnerReferences(metadata.ownerReferences))
  if (metadata.finalizers) errors.push(...validateFinalizers(metadata.finalizers, anyFinalizer))
  return errors
}

export function validateAnnotations(annotations: Record<string, string>, field: string): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const key in annotations) {
    for (const message of isQualifiedName(key.toLowerCase())) errors.push(invalidValue(field, key, message))
    size += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '')
  }
  if (size > maxAnnotationBytes) errors.push(tooLong(field, maxAnnotationBytes))
  return errors
}

function validateOwnerReferences(references: readonly V1OwnerReference[]): FieldError[] {
  const field = `${at}.ownerReferences`
  const errors: FieldError[] = []
  let controller: string | undefined
  for (const reference of references) {
    const version = reference.apiVersion ?? ''
    if (version === '' || version.endsWith('/')) errors.push(invalidValue(`${field}.apiVersion`, version, 'version must not be empty'))
    for (const name of ['kind', 'name', 'uid'] as const)
      if (!reference[name]) errors.push(invalidValue(`${field}.${name}`, reference[name] ?? '', 'must not be empty'))
    if (version === 'v1' && reference.kind === 'Event') errors.push(invalidValue(field, reference, '/v1, Kind=Event is disallowed from being an owner'))
    if (!reference.controller) continue
    if (controller !== undefined)
      errors.push(
        invalidValue(
          field,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${reference.name}`,
        ),
      )
    controller = reference.name
  }
  return errors
}

function validateFinalizers(finalizers: readonly string[], anyFinalizer: boolean): FieldError[] {
  const field = `${at}.finalizers`
  const errors: FieldError[] = []
  for (const finalizer of finalizers) {
    for (const message of isQualifiedName(finalizer)) errors.push(invalidValue(field, finalizer, message))
    if (!anyFinalizer && !finalizer.includes('/') && !standardFinalizers.has(finalizer))
      errors.push(invalidValue(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.push(invalidValue(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  return errors
}

const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])
