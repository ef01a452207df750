import { type FieldError, notSupported } from '../../machinery/field-error.ts'
import type { V1CSIDriver } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const CSIDriver = defineResource<V1CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  namespaced: false,
  model: 'V1CSIDriver',
  generation: true,
  columns: [
    nameColumn,
    text('AttachRequired', ({ spec }) => spec.attachRequired ?? true),
    text('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount ?? false),
    text('StorageCapacity', ({ spec }) => spec.storageCapacity ?? false),
    text('TokenRequests', ({ spec }) => (spec.tokenRequests ?? []).map((one) => one.audience).join(',') || '<unset>'),
    text('RequiresRepublish', ({ spec }) => spec.requiresRepublish ?? false),
    text('Modes', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',')),
    ageColumn,
  ],
  applyDefaults(driver) {
    driver.spec ??= {}
    const { spec } = driver
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  validate: validateDriver,
  validateUpdate: (draft, stored) => [
    ...validateDriver(draft),
    ...immutable('spec.attachedRequired', draft.spec.attachRequired, stored.spec.attachRequired),
    ...immutable('spec.volumeLifecycleModes', draft.spec.volumeLifecycleModes, stored.spec.volumeLifecycleModes),
  ],
})

const modes = ['Ephemeral', 'Persistent']
const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType']

function validateDriver({ spec }: V1CSIDriver): FieldError[] {
  const errors: FieldError[] = []
  for (const mode of spec.volumeLifecycleModes ?? []) if (!modes.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, modes))
  if (spec.fsGroupPolicy && !groupPolicies.includes(spec.fsGroupPolicy)) errors.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, groupPolicies))
  return errors
}
