import { type FieldError, forbiddenField, invalidValue } from '../../machinery/field-error.ts'
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'
import { sameJson } from '../equality.ts'
import { validatePodSpec } from '../pod-spec-validation/pod-spec.ts'
import type { Subresource } from '../resource.ts'
import { statusSubresource } from '../subresources.ts'
import { qualityOfService } from './quality-of-service.ts'

/** Adds containers to a running pod, to look into it. */
const ephemeralContainers: Subresource<V1Pod> = {
  name: 'ephemeralcontainers',
  verbs: ['get', 'patch', 'update'],
  prepareForUpdate(draft, stored) {
    const { ephemeralContainers: added } = draft.spec
    draft.spec = { ...stored.spec, ...(added && { ephemeralContainers: added }) }
    if (stored.status) draft.status = stored.status
  },
  validateUpdate(draft, stored) {
    const errors = validatePodSpec(draft.spec, 'spec')
    for (const old of stored.spec.ephemeralContainers ?? []) {
      const now = draft.spec.ephemeralContainers?.find((one) => one.name === old.name)
      if (!now) errors.push(forbiddenField('spec.ephemeralContainers', `existing ephemeral containers "${old.name}" may not be removed`))
      else if (!sameJson(now, old)) errors.push(forbiddenField('spec.ephemeralContainers', `existing ephemeral containers "${old.name}" may not be changed`))
    }
    return errors
  },
}

/** Changes the resources of running containers. */
const resize: Subresource<V1Pod> = {
  name: 'resize',
  verbs: ['get', 'patch', 'update'],
  prepareForUpdate(draft, stored) {
    const resized = (drafts: V1Container[] | undefined) => (container: V1Container) => {
      const { resources, resizePolicy } = drafts?.find((one) => one.name === container.name) ?? container
      return { ...container, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) }
    }
    const { containers, initContainers } = draft.spec
    draft.spec = { ...stored.spec, containers: stored.spec.containers.map(resized(containers)) }
    if (stored.spec.initContainers) draft.spec.initContainers = stored.spec.initContainers.map(resized(initContainers))
    if (stored.status) draft.status = stored.status
  },
  validateUpdate(draft, stored) {
    const errors: FieldError[] = validatePodSpec(draft.spec, 'spec')
    if (stored.status?.qosClass && qualityOfService(draft.spec) !== stored.status.qosClass)
      errors.push(invalidValue('spec', qualityOfService(draft.spec), 'Pod QOS Class may not change as a result of resizing'))
    return errors
  },
}

export const podSubresources: readonly Subresource<V1Pod>[] = [
  { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
  { name: 'binding', model: 'V1Binding', kind: 'Binding', verbs: ['create'] },
  ephemeralContainers,
  { name: 'eviction', model: 'V1Eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
  { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
  { name: 'log', verbs: ['get'] },
  { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
  { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  resize,
  statusSubresource({ keepMetadata: ['ownerReferences'] }),
]
