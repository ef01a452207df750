import { type FieldError, invalidValue, notSupported } from '../../machinery/field-error.ts'
import { isLabelValue } from '../../machinery/labels.ts'
import type { V1Toleration } from '../../machinery/schema/generated/types.ts'
import { validateQualifiedName } from '../label-validation.ts'

export const taintEffects = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']

export function validateTolerations(tolerations: readonly V1Toleration[] | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  tolerations?.forEach((toleration, index) => {
    const here = `${at}[${index}]`
    const { key, operator, value, effect, tolerationSeconds } = toleration
    if (key) errors.push(...validateQualifiedName(key, `${here}.key`))
    if (!key && operator !== 'Exists')
      errors.push(invalidValue(`${here}.operator`, operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"'))
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      errors.push(invalidValue(`${here}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if (operator === 'Equal' || !operator) {
      for (const message of isLabelValue(value ?? '')) errors.push(invalidValue(`${here}.operator`, value ?? '', message))
    } else if (operator === 'Exists') {
      if (value) errors.push(invalidValue(`${here}.operator`, toleration, "value must be empty when `operator` is 'Exists'"))
    } else errors.push(notSupported(`${here}.operator`, operator, ['Equal', 'Exists']))
    if (effect && !taintEffects.includes(effect)) errors.push(notSupported(`${here}.effect`, effect, taintEffects))
  })
  return errors
}
