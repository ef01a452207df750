/** References from a container to fields of its pod and to its resources. */
import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isQualifiedName } from '../../machinery/labels.ts'
import type { V1ObjectFieldSelector, V1ResourceFieldSelector } from '../../machinery/schema/generated/types.ts'
import { quantityOrNothing } from '../resource-list.ts'

const known = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

export function validateFieldRef({ apiVersion, fieldPath }: V1ObjectFieldSelector, supported: readonly string[], at: string): FieldError[] {
  if (!apiVersion) return [required(`${at}.apiVersion`)]
  if (!fieldPath) return [required(`${at}.fieldPath`)]
  const subscript = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(fieldPath)
  if (subscript) {
    const [, path, key = ''] = subscript
    const name = path === 'metadata.annotations' ? key.toLowerCase() : key
    return isQualifiedName(name).map((message) => invalidValue(at, key, message))
  }
  if (!known.has(fieldPath)) return [invalidValue(`${at}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)]
  return supported.includes(fieldPath) ? [] : [notSupported(`${at}.fieldPath`, fieldPath, supported)]
}

export function validateResourceFieldRef(selector: V1ResourceFieldSelector, supported: readonly string[], at: string, inVolume: boolean): FieldError[] {
  const { containerName, resource, divisor } = selector
  const errors: FieldError[] = []
  if (inVolume && !containerName) errors.push(required(`${at}.containerName`))
  if (!resource) errors.push(required(`${at}.resource`))
  else if (!supported.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource)) errors.push(notSupported(`${at}.resource`, resource, supported))
  if (divisor && !quantityOrNothing(divisor)) errors.push(invalidValue(`${at}.divisor`, divisor, 'must be a valid resource quantity'))
  return errors
}
