import { type FieldError, invalidValue } from '../../machinery/field-error.ts'
import type { V1Lease } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative, positive } from '../formats.ts'

export const Lease = defineResource<V1Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  model: 'V1Lease',
  columns: [nameColumn, text('Holder', (lease) => lease.spec?.holderIdentity ?? ''), ageColumn],
  applyDefaults(lease) {
    lease.spec ??= {}
  },
  validate: validateLease,
  validateUpdate: validateLease,
})

function validateLease({ spec = {} }: V1Lease): FieldError[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec
  const errors: FieldError[] = []
  if (duration !== undefined && duration <= 0) errors.push(invalidValue('spec.leaseDurationSeconds', duration, positive))
  if (transitions !== undefined && transitions < 0) errors.push(invalidValue('spec.leaseTransitions', transitions, nonNegative))
  return errors
}
