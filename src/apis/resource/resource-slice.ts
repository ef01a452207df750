import { duplicate, type FieldError, invalidValue, required, tooMany } from '../../machinery/field-error.ts'
import { isDnsLabel, isDnsSubdomain } from '../../machinery/names.ts'
import type { V1ResourceSlice } from '../../machinery/schema/generated/types.ts'
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../immutable.ts'

export const ResourceSlice = defineResource<V1ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  model: 'V1ResourceSlice',
  generation: true,
  selectableFields: {
    'spec.driver': ({ spec }) => spec.driver ?? '',
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
  },
  columns: [
    nameColumn,
    text('Node', ({ spec }) => spec.nodeName || '<unset>'),
    text('Driver', ({ spec }) => spec.driver ?? ''),
    text('Pool', ({ spec }) => spec.pool?.name ?? ''),
    ageColumn,
  ],
  validate: validateSlice,
  validateUpdate: (draft, stored) => [
    ...immutable('spec.nodeName', draft.spec.nodeName, stored.spec.nodeName),
    ...immutable('spec.driver', draft.spec.driver, stored.spec.driver),
    ...immutable('spec.pool.name', draft.spec.pool?.name, stored.spec.pool?.name),
    ...validateSlice(draft),
  ],
})

const maxDevices = 128

function validateSlice({ spec }: V1ResourceSlice): FieldError[] {
  const { driver = '', pool, devices = [] } = spec
  const errors: FieldError[] = []
  if (driver === '') errors.push(required('spec.driver'))
  else errors.push(...isDnsSubdomain(driver).map((message) => invalidValue('spec.driver', driver, message)))
  if (!pool?.name) errors.push(required('spec.pool.name'))
  else for (const part of pool.name.split('/')) errors.push(...isDnsSubdomain(part).map((message) => invalidValue('spec.pool.name', part, message)))
  if ((pool?.resourceSliceCount ?? 0) <= 0)
    errors.push(invalidValue('spec.pool.resourceSliceCount', pool?.resourceSliceCount ?? 0, 'must be greater than zero'))
  if ((pool?.generation ?? 0) < 0) errors.push(invalidValue('spec.pool.generation', pool?.generation, 'must be greater than or equal to zero'))
  errors.push(...validatePlacement(spec))
  if (devices.length > maxDevices) errors.push(tooMany('spec.devices', devices.length, maxDevices))
  const seen = new Set<string>()
  devices.forEach(({ name = '' }, index) => {
    for (const message of isDnsLabel(name)) errors.push(invalidValue(`spec.devices[${index}].name`, name, message))
    if (seen.has(name)) errors.push(duplicate(`spec.devices[${index}].name`, name))
    seen.add(name)
  })
  return errors
}

/** Which nodes reach the devices is said in exactly one way. */
function validatePlacement({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: V1ResourceSlice['spec']): FieldError[] {
  const ways = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  const given = [
    nodeName ? 'nodeName' : '',
    nodeSelector ? 'nodeSelector' : '',
    allNodes ? 'allNodes' : '',
    perDeviceNodeSelection ? 'perDeviceNodeSelection' : '',
  ].filter(Boolean)
  if (given.length === 1) return []
  return [given.length === 0 ? required('spec', ways) : invalidValue('spec', `{${given.join(', ')}}`, ways)]
}
