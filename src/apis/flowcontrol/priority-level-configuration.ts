import { type FieldError, forbiddenField, notSupported, required } from '../../machinery/field-error.ts'
import type { V1PriorityLevelConfiguration } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'

export const PriorityLevelConfiguration = defineResource<V1PriorityLevelConfiguration>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  namespaced: false,
  model: 'V1PriorityLevelConfiguration',
  subresources: [statusSubresource()],
  generation: true,
  columns: [
    nameColumn,
    text('Type', ({ spec }) => spec?.type ?? ''),
    text('NominalConcurrencyShares', ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? '<none>'),
    text('Queues', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues ?? '<none>'),
    text('HandSize', ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize ?? '<none>'),
    text('QueueLengthLimit', ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? '<none>'),
    ageColumn,
  ],
  applyDefaults({ spec }) {
    if (spec?.type === 'Exempt') {
      spec.exempt ??= {}
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    if (!spec?.limited) return
    spec.limited.nominalConcurrencyShares ??= 30
    spec.limited.lendablePercent ??= 0
    const queuing = spec.limited.limitResponse?.queuing
    if (!queuing) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  prepareForCreate(configuration) {
    configuration.status = {}
  },
  prepareForUpdate: keepStatus,
  validate: validateConfiguration,
  validateUpdate: validateConfiguration,
})

function validateConfiguration({ spec }: V1PriorityLevelConfiguration): FieldError[] {
  if (spec?.type === 'Exempt') return spec.limited ? [forbiddenField('spec.limited', 'must be nil if the type is not Limited')] : []
  if (spec?.type !== 'Limited') return [notSupported('spec.type', spec?.type ?? '', ['Exempt', 'Limited'])]
  const errors: FieldError[] = []
  if (spec.exempt) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'))
  if (!spec.limited) return [...errors, required('spec.limited', 'must not be empty when type is Limited')]
  const { type, queuing } = spec.limited.limitResponse ?? { type: '' }
  if (type === 'Reject' && queuing)
    errors.push(forbiddenField('spec.limited.limitResponse.queuing', 'must be nil if limited.limitResponse.type is not Limited'))
  else if (type === 'Queue' && !queuing)
    errors.push(required('spec.limited.limitResponse.queuing', 'must not be empty if limited.limitResponse.type is Limited'))
  else if (type !== 'Reject' && type !== 'Queue') errors.push(notSupported('spec.limited.limitResponse.type', type, ['Queue', 'Reject']))
  return errors
}
