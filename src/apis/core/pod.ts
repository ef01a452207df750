import { timestamp } from '../../machinery/clock.ts'
import { forbiddenField } from '../../machinery/field-error.ts'
import type { V1Pod } from '../../machinery/schema/generated/types.ts'
import { defineResource } from '../define-resource.ts'
import { podDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validatePodSpec } from '../pod-spec-validation/pod-spec.ts'
import { podWarnings } from '../pod-spec-warnings.ts'
import { keepField } from '../subresources.ts'
import { podColumns } from './pod-columns.ts'
import { mergeLabelKeys } from './pod-label-keys.ts'
import { podSubresources } from './pod-subresources.ts'
import { validateImage, validatePodUpdate } from './pod-update-validation.ts'
import { qualityOfService } from './quality-of-service.ts'

export const Pod = defineResource<V1Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  model: 'V1Pod',
  subresources: podSubresources,
  generation: true,
  selectableFields: {
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? '',
    'status.podIPs': (pod) => pod.status?.podIPs?.[0]?.ip ?? '',
  },
  columns: podColumns,
  applyDefaults(pod) {
    pod.spec ??= { containers: [] }
    podDefaults(pod.spec)
  },
  prepareForCreate(pod, { now }) {
    mergeLabelKeys(pod)
    pod.status = { phase: 'Pending', qosClass: qualityOfService(pod.spec) }
    if (pod.spec.schedulingGates?.length)
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
          lastTransitionTime: timestamp(now),
        },
      ]
    if ((pod.spec.terminationGracePeriodSeconds ?? 0) < 0) pod.spec.terminationGracePeriodSeconds = 1
  },
  prepareForUpdate(draft, stored) {
    keepField(draft, stored, 'status')
  },
  validate(pod) {
    const errors = validatePodSpec(pod.spec, 'spec')
    for (const list of ['containers', 'initContainers'] as const)
      pod.spec[list]?.forEach((container, index) => {
        if (container.image) errors.push(...validateImage(container, `spec.${list}[${index}].image`))
      })
    if (pod.spec.ephemeralContainers?.length) errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
    if (pod.spec.nodeName && pod.spec.schedulingGates?.length)
      errors.push(forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
    return errors
  },
  validateUpdate: validatePodUpdate,
  warnings: (pod) => podWarnings(pod.metadata, pod.spec),
  /** Nothing to wait for where nothing runs: not scheduled, or over. */
  gracePeriod({ spec, status }, requested) {
    if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0
    const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 30
    return seconds < 0 ? 1 : seconds
  },
})
