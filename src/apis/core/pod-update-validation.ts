import { type FieldError, forbiddenField, invalidValue, required } from '../../machinery/field-error.ts'
import type { V1Container, V1Pod, V1PodSpec, V1Toleration } from '../../machinery/schema/generated/types.ts'
import { changes } from '../changes.ts'
import { sameJson } from '../equality.ts'

const mayChange =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** The rule of pods: what runs stays as it is, but for images and a few fields that can be followed at run time. */
export function validatePodUpdate(draft: V1Pod, stored: V1Pod): FieldError[] {
  const errors: FieldError[] = []
  for (const list of ['containers', 'initContainers'] as const) {
    if ((draft.spec[list]?.length ?? 0) !== (stored.spec[list]?.length ?? 0))
      return [forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers')]
    draft.spec[list]?.forEach((container, index) => {
      errors.push(...validateImage(container, `spec.${list}[${index}].image`))
    })
  }
  errors.push(...validateDeadline(draft.spec, stored.spec), ...validateTolerationsUpdate(draft.spec.tolerations, stored.spec.tolerations))
  const gates = new Set(stored.spec.schedulingGates?.map((gate) => gate.name))
  for (const gate of draft.spec.schedulingGates ?? [])
    if (!gates.has(gate.name)) errors.push(forbiddenField('spec.schedulingGates', `only deletion is allowed, but found new scheduling gate '${gate.name}'`))
  if (errors.length > 0) return errors

  const munged = withStoredExceptions(draft.spec, stored.spec)
  if (!sameJson(munged, stored.spec))
    errors.push(forbiddenField('spec', `pod updates may not change fields other than ${mayChange}\n${changes(stored.spec, munged).join('\n')}\n`))
  return errors
}

/** The draft's spec with everything that may change put back to what is stored: what differs still is forbidden. */
function withStoredExceptions(draft: V1PodSpec, stored: V1PodSpec): V1PodSpec {
  const munged = { ...draft, activeDeadlineSeconds: stored.activeDeadlineSeconds, tolerations: stored.tolerations, schedulingGates: stored.schedulingGates }
  munged.containers = withStoredImages(draft.containers, stored.containers)
  if (draft.initContainers) munged.initContainers = withStoredImages(draft.initContainers, stored.initContainers ?? [])
  if ((stored.terminationGracePeriodSeconds ?? 0) < 0 && draft.terminationGracePeriodSeconds === 1)
    munged.terminationGracePeriodSeconds = stored.terminationGracePeriodSeconds
  // Not yet scheduled: where it may go can still be narrowed.
  if (stored.schedulingGates?.length) {
    munged.nodeSelector = stored.nodeSelector
    munged.affinity = stored.affinity
  }
  return munged
}

const withStoredImages = (draft: V1Container[], stored: V1Container[]): V1Container[] =>
  draft.map((container, index) => ({ ...container, image: stored[index]?.image }))

export function validateImage({ image }: V1Container, at: string): FieldError[] {
  if (!image) return [required(at)]
  return image.trim() === image ? [] : [invalidValue(at, image, 'must not have leading or trailing whitespace')]
}

function validateDeadline({ activeDeadlineSeconds: draft }: V1PodSpec, { activeDeadlineSeconds: stored }: V1PodSpec): FieldError[] {
  const at = 'spec.activeDeadlineSeconds'
  if (draft !== undefined) {
    if (draft < 1 || draft > 2147483647) return [invalidValue(at, draft, 'must be between 1 and 2147483647, inclusive')]
    if (stored !== undefined && draft > stored) return [invalidValue(at, draft, 'must be less than or equal to previous value')]
  } else if (stored !== undefined) return [invalidValue(at, null, 'must not update from a positive integer to nil value')]
  return []
}

function validateTolerationsUpdate(draft: readonly V1Toleration[] = [], stored: readonly V1Toleration[] = []): FieldError[] {
  const withoutSeconds = ({ tolerationSeconds: _, ...rest }: V1Toleration) => rest
  const kept = stored.every((old) => draft.some((one) => sameJson(withoutSeconds(old), withoutSeconds(one))))
  return kept ? [] : [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}
