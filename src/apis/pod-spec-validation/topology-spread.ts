import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1TopologySpreadConstraint } from '../../machinery/schema/generated/types.ts'
import { positive } from '../formats.ts'
import { validateQualifiedName } from '../label-validation.ts'
import { validateLabelSelector } from '../selector-validation.ts'

const actions = ['DoNotSchedule', 'ScheduleAnyway']
const inclusion = ['Honor', 'Ignore']

export function validateTopologySpread(constraints: readonly V1TopologySpreadConstraint[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  const pairs = new Set<string>()
  constraints?.forEach((one, index) => {
    const here = `${at}[${index}]`
    if (!(one.maxSkew > 0)) errors.push(invalidValue(`${here}.maxSkew`, one.maxSkew ?? 0, positive))
    if (!one.topologyKey) errors.push(required(`${here}.topologyKey`, 'can not be empty'))
    else errors.push(...validateQualifiedName(one.topologyKey, `${here}.topologyKey`))
    if (!actions.includes(one.whenUnsatisfiable)) errors.push(notSupported(`${here}.whenUnsatisfiable`, one.whenUnsatisfiable ?? '', actions))
    const pair = `{${one.topologyKey}, ${one.whenUnsatisfiable}}`
    if (pairs.has(pair)) errors.push(duplicate(`${here}.{topologyKey, whenUnsatisfiable}`, pair))
    pairs.add(pair)
    if (one.minDomains !== undefined) {
      if (one.minDomains <= 0) errors.push(invalidValue(`${here}.minDomains`, one.minDomains, positive))
      if (one.whenUnsatisfiable !== 'DoNotSchedule')
        errors.push(invalidValue(`${here}.minDomains`, one.minDomains, 'can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway'))
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = one[field]
      if (policy !== undefined && !inclusion.includes(policy)) errors.push(notSupported(`${here}.${field}`, policy, inclusion))
    }
    if (one.matchLabelKeys?.length && !one.labelSelector)
      errors.push(forbiddenField(`${here}.matchLabelKeys`, 'must not be specified when labelSelector is not set'))
    errors.push(...validateLabelSelector(one.labelSelector, `${here}.labelSelector`))
  })
  return errors
}
