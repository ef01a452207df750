import type { ResourceV1ResourceClaim } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const ResourceClaim = defineResource<ResourceV1ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  namespaced: true,
  model: 'ResourceV1ResourceClaim',
  subresources: [statusSubresource()],
  columns: [nameColumn, text('State', stateText), ageColumn],
  applyDefaults({ spec }) {
    for (const request of spec?.devices?.requests ?? []) {
      if (!request.exactly) continue
      request.exactly.allocationMode ||= 'ExactCount'
      if (request.exactly.allocationMode === 'ExactCount') request.exactly.count ||= 1
    }
  },
  prepareForCreate(claim) {
    claim.status = {}
  },
  prepareForUpdate: keepStatus,
  validateUpdate: (draft, stored) => immutable('spec', draft.spec, stored.spec),
})

function stateText({ metadata, status }: ResourceV1ResourceClaim): string {
  const states: string[] = []
  if (metadata.deletionTimestamp) states.push('deleted')
  if (!status?.allocation) return [...states, 'pending'].join(',')
  states.push('allocated')
  if (status.reservedFor?.length) states.push('reserved')
  return states.join(',')
}
