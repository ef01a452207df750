import { duplicate, type FieldError, required } from '../../machinery/field-error.ts'
import type { V1CSINode } from '../../machinery/schema/generated/types.ts'
import { ageColumn, integer, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'

export const CSINode = defineResource<V1CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  namespaced: false,
  model: 'V1CSINode',
  columns: [nameColumn, integer('Drivers', ({ spec }) => spec.drivers?.length), ageColumn],
  applyDefaults(node) {
    node.spec ??= { drivers: [] }
    node.spec.drivers ??= []
  },
  validate: validateDrivers,
  validateUpdate: validateDrivers,
})

function validateDrivers({ spec }: V1CSINode): FieldError[] {
  const errors: FieldError[] = []
  const names = new Set<string>()
  spec.drivers.forEach(({ name, nodeID }, index) => {
    const at = `spec.drivers[${index}]`
    if (!name) errors.push(required(`${at}.name`))
    if (!nodeID) errors.push(required(`${at}.nodeID`))
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name))
    names.add(name)
  })
  return errors
}
