import { type FieldError, invalidValue, notSupported } from '../../machinery/field-error.ts'
import type { V1ResourceQuota } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { canonicalAmounts, quantityOrNothing } from '../resource-list.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const ResourceQuota = defineResource<V1ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  model: 'V1ResourceQuota',
  subresources: [statusSubresource()],
  columns: [nameColumn, text('Request', (quota) => usedText(quota, false)), text('Limit', (quota) => usedText(quota, true)), ageColumn],
  applyDefaults(quota) {
    quota.spec ??= {}
    canonicalAmounts(quota.spec.hard)
    canonicalAmounts(quota.status?.hard)
    canonicalAmounts(quota.status?.used)
  },
  prepareForCreate(quota) {
    quota.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateQuota,
  validateUpdate: (draft, stored) => [...validateQuota(draft), ...immutable('spec.scopes', draft.spec?.scopes, stored.spec?.scopes)],
})

const countable =
  /^((requests\.|limits\.)?(cpu|memory|ephemeral-storage)|requests\.storage|(requests\.)?hugepages-.+|pods|resourcequotas|services(\.nodeports|\.loadbalancers)?|replicationcontrollers|secrets|persistentvolumeclaims|configmaps)$/
const scopes = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass']

/** `cpu: 1/2, memory: 1Gi/4Gi`: used of how much, of requests and counts or of limits. */
function usedText({ status }: V1ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .sort()
    .filter((name) => name.startsWith('limits') === limits)
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ')
}

function validateQuota({ spec = {} }: V1ResourceQuota): FieldError[] {
  const errors: FieldError[] = []
  for (const [name, amount] of Object.entries(spec.hard ?? {})) {
    const at = `spec.hard[${name}]`
    errors.push(...validateQualifiedName(name, at))
    if (!name.includes('/') && !countable.test(name)) errors.push(invalidValue(at, name, 'must be a standard resource for quota'))
    if ((quantityOrNothing(amount)?.nanos ?? -1n) < 0n) errors.push(invalidValue(at, amount, 'must be greater than or equal to 0'))
  }
  for (const scope of spec.scopes ?? []) if (!scopes.includes(scope)) errors.push(invalidValue('spec.scopes', spec.scopes, 'unsupported scope'))
  spec.scopeSelector?.matchExpressions?.forEach(({ operator }, index) => {
    if (!['DoesNotExist', 'Exists', 'In', 'NotIn'].includes(operator))
      errors.push(notSupported(`spec.scopeSelector.matchExpressions[${index}].operator`, operator, ['DoesNotExist', 'Exists', 'In', 'NotIn']))
  })
  return errors
}
