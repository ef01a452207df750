import { type FieldError, invalidValue, required } from '../../machinery/field-error.ts'
import { isDnsLabel } from '../../machinery/names.ts'
import type { V1Container, V1Job } from '../../machinery/schema/generated/types.ts'
import { shortDuration } from '../age.ts'
import { containersColumn, imagesColumn, selectorColumn } from '../apps/template-columns.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'
import { podTemplateDefaults } from '../pod-spec-defaults/pod-spec.ts'
import { templateWarnings } from '../pod-spec-warnings.ts'
import { selectorMatches, validateLabelSelector } from '../selector-validation.ts'
import { keepStatus, statusSubresource } from '../subresources.ts'
import { validateJobSpec } from './job-spec-validation.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'
const nameLabel = 'batch.kubernetes.io/job-name'

export const Job = defineResource<V1Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  model: 'V1Job',
  subresources: [statusSubresource()],
  generation: true,
  selectableFields: { 'status.successful': (job) => String(job.status?.succeeded ?? 0) },
  columns: [
    nameColumn,
    text('Status', statusText),
    text('Completions', completionsText),
    text('Duration', ({ status }, now) => {
      if (!status?.startTime) return ''
      return shortDuration((status.completionTime ? Date.parse(status.completionTime) : now) - Date.parse(status.startTime))
    }),
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  applyDefaults(job) {
    job.spec ??= { template: {} }
    const { spec } = job
    podTemplateDefaults(spec)
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
    spec.parallelism ??= 1
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
    spec.completionMode ??= 'NonIndexed'
    spec.suspend ??= false
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
    for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ??= 'True'
  },
  prepareForCreate(job, { uuid }) {
    job.status = {}
    if (!job.spec.manualSelector) selectByUid(job, uuid)
  },
  prepareForUpdate: keepStatus,
  validate: validateJob,
  validateUpdate(draft, stored) {
    const errors = validateJob(draft)
    const { spec } = draft
    // An indexed job may grow and shrink with its parallelism.
    const elastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
    if (!elastic) errors.push(...immutable('spec.completions', spec.completions, stored.spec.completions))
    for (const field of ['selector', 'completionMode', 'podFailurePolicy', 'successPolicy', 'backoffLimitPerIndex', 'managedBy'] as const)
      errors.push(...immutable(`spec.${field}`, spec[field], stored.spec[field]))
    errors.push(...validateTemplateUpdate(draft, stored))
    return errors
  },
  warnings: ({ spec }) => templateWarnings(spec.template, 'spec.template'),
})

/** Pods of the job carry its identity, and are found by it. */
function selectByUid(job: V1Job, uuid: () => string): void {
  job.metadata.uid ||= uuid()
  const { uid, name } = job.metadata
  const { template } = job.spec
  template.metadata ??= {}
  template.metadata.labels = { ...template.metadata.labels, 'controller-uid': uid, [uidLabel]: uid, 'job-name': name, [nameLabel]: name }
  job.spec.selector = { ...job.spec.selector, matchLabels: { ...job.spec.selector?.matchLabels, [uidLabel]: uid } }
}

function validateJob({ metadata, spec }: V1Job): FieldError[] {
  const errors: FieldError[] = []
  const { completionMode, completions = 0 } = spec
  const lastHostname = `${metadata.name}-${completions - 1}`
  if (completionMode === 'Indexed' && completions > 0 && isDnsLabel(lastHostname).length > 0)
    errors.push(invalidValue('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${lastHostname}`))
  if (!spec.selector) errors.push(required('spec.selector'))
  else {
    errors.push(...validateLabelSelector(spec.selector, 'spec.selector'))
    const labels = spec.template.metadata?.labels
    if (!selectorMatches(spec.selector, labels))
      errors.push(invalidValue('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'))
  }
  errors.push(...validateJobSpec(spec, 'spec'))
  return errors
}

/**
 * While the job is suspended, what its pods are given may be changed once none is left, and where they go as long as it
 * has not begun.
 */
function validateTemplateUpdate(draft: V1Job, stored: V1Job): FieldError[] {
  const template = { ...draft.spec.template }
  const before = stored.spec.template
  if (stored.spec.suspend && !stored.status?.startTime && template.spec && before.spec) {
    const { nodeSelector, affinity, tolerations, schedulingGates } = before.spec
    template.metadata = before.metadata ?? {}
    template.spec = { ...template.spec, nodeSelector, affinity, tolerations, schedulingGates }
  }
  if (stored.spec.suspend && !stored.status?.active && template.spec && before.spec) {
    const { containers, initContainers } = template.spec
    template.spec = {
      ...template.spec,
      containers: withAmountsOf(before.spec.containers, containers),
      ...(initContainers ? { initContainers: withAmountsOf(before.spec.initContainers ?? [], initContainers) } : {}),
    }
  }
  return immutable('spec.template', template, before)
}

/** Claims stay as they are: they are no amounts. */
function withAmountsOf(before: readonly V1Container[], containers: readonly V1Container[]): V1Container[] {
  return containers.map((container, index) => {
    const old = before[index]
    if (!old || (!old.resources && !container.resources)) return container
    const { requests: _requests, limits: _limits, ...rest } = container.resources ?? {}
    const { requests, limits } = old.resources ?? {}
    return { ...container, resources: { ...rest, ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) } }
  })
}

function statusText({ metadata, status }: V1Job): string {
  const has = (type: string) => status?.conditions?.some((one) => one.type === type && one.status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function completionsText({ spec, status }: V1Job): string {
  const done = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${done}/${spec.completions}`
  return (spec.parallelism ?? 0) > 1 ? `${done}/1 of ${spec.parallelism}` : `${done}/1`
}
