import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1StatefulSet } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { claimSpecDefaults } from '../core/claim-spec-defaults.ts'
import { defineResource } from '../define-resource.ts'
import { sameJson } from '../equality.ts'
import { validateNonNegative } from '../int-or-percent.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { validateServingTemplate } from '../pod-spec-validation/pod-template.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { keepStatus, scaleSubresource, statusSubresource } from '../subresources.ts'
import { validateWorkloadSelector } from './selector-validation.ts'
import { containersColumn, imagesColumn } from './template-columns.ts'

const mayChange = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const
const retention = ['Delete', 'Retain']

export const StatefulSet = defineResource<V1StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  model: 'V1StatefulSet',
  subresources: [scaleSubresource, statusSubresource()],
  scale: { specReplicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
  generation: true,
  columns: [nameColumn, text('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`), ageColumn, containersColumn, imagesColumn],
  applyDefaults(set) {
    set.spec ??= { selector: {}, template: {} }
    const { spec } = set
    podTemplateDefaults(spec)
    spec.podManagementPolicy ||= 'OrderedReady'
    spec.updateStrategy ??= {}
    spec.updateStrategy.type ||= 'RollingUpdate'
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {}
      spec.updateStrategy.rollingUpdate.partition ??= 0
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {}
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
    spec.replicas ??= 1
    spec.revisionHistoryLimit ??= 10
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= 'v1'
      claim.kind ??= 'PersistentVolumeClaim'
      claim.spec ??= {}
      claimSpecDefaults(claim.spec)
      claim.status ??= {}
      claim.status.phase ||= 'Pending'
    }
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate: validateStatefulSet,
  validateUpdate(draft, stored) {
    const errors = validateStatefulSet(draft)
    const munged = { ...draft.spec }
    for (const field of mayChange) Object.assign(munged, { [field]: stored.spec[field] })
    if (!sameJson(munged, stored.spec))
      errors.push(
        forbiddenField(
          'spec',
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      )
    return errors
  },
  warnings: ({ spec }) => templateWarnings(spec.template, 'spec.template'),
})

function validateStatefulSet({ spec }: V1StatefulSet): FieldError[] {
  const errors: FieldError[] = []
  const policy = spec.podManagementPolicy
  if (!policy) errors.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    errors.push(invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"))
  const { type, rollingUpdate } = spec.updateStrategy ?? {}
  if (!type) errors.push(required('spec.updateStrategy'))
  else if (type === 'OnDelete') {
    if (rollingUpdate) errors.push(invalidValue('spec.updateStrategy.rollingUpdate', rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
  } else if (type === 'RollingUpdate') errors.push(...validateNonNegative(rollingUpdate?.partition, 'spec.updateStrategy.rollingUpdate.partition'))
  else errors.push(invalidValue('spec.updateStrategy', spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"))
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const when = spec.persistentVolumeClaimRetentionPolicy?.[field]
    if (when && !retention.includes(when)) errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, when, retention))
  }
  errors.push(
    ...validateNonNegative(spec.replicas, 'spec.replicas'),
    ...validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateNonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...validateWorkloadSelector(spec.selector, 'statefulset'),
    ...validateServingTemplate(withClaims(spec), spec.selector, 'spec.template'),
  )
  return errors
}

/** Claims of the set stand for volumes of the same name, which mounts may name. */
function withClaims({ template, volumeClaimTemplates = [] }: V1StatefulSet['spec']): V1StatefulSet['spec']['template'] {
  const claims = volumeClaimTemplates.map((claim) => ({ name: claim.metadata?.name ?? '', persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' } }))
  if (claims.length === 0 || !template.spec) return template
  const own = (template.spec.volumes ?? []).filter((volume) => !claims.some((claim) => claim.name === volume.name))
  return { ...template, spec: { ...template.spec, volumes: [...own, ...claims] } }
}
