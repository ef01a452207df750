import { type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from '../../machinery/schema/generated/types.ts'
import { nonNegative, positive } from '../formats.ts'
import { quantityOrNothing } from '../resource-list.ts'

const selections = ['Disabled', 'Max', 'Min']

/** Up: fast, four pods or double, every fifteen seconds; down: as far as it goes. */
export function scalingRulesDefaults(behavior: V2HorizontalPodAutoscalerBehavior): void {
  behavior.scaleUp ??= {}
  behavior.scaleUp.selectPolicy ??= 'Max'
  behavior.scaleUp.stabilizationWindowSeconds ??= 0
  behavior.scaleUp.policies ??= [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ]
  behavior.scaleDown ??= {}
  behavior.scaleDown.selectPolicy ??= 'Max'
  behavior.scaleDown.policies ??= [{ type: 'Percent', value: 100, periodSeconds: 15 }]
}

export const validateBehavior = (behavior: V2HorizontalPodAutoscalerBehavior | undefined): FieldError[] =>
  (['scaleUp', 'scaleDown'] as const).flatMap((field) => validateRules(behavior?.[field], `spec.behavior.${field}`))

function validateRules(rules: V2HPAScalingRules | undefined, at: string): FieldError[] {
  if (!rules) return []
  const errors: FieldError[] = []
  const window = rules.stabilizationWindowSeconds
  if (window !== undefined && window < 0) errors.push(invalidValue(`${at}.stabilizationWindowSeconds`, window, nonNegative))
  if (window !== undefined && window > 3600) errors.push(invalidValue(`${at}.stabilizationWindowSeconds`, window, 'must be less than or equal to 3600'))
  if (rules.tolerance !== undefined && (quantityOrNothing(rules.tolerance)?.nanos ?? -1n) < 0n)
    errors.push(invalidValue(`${at}.tolerance`, rules.tolerance, nonNegative))
  if (rules.selectPolicy !== undefined && !selections.includes(rules.selectPolicy))
    errors.push(notSupported(`${at}.selectPolicy`, rules.selectPolicy, selections))
  if (!rules.policies?.length) errors.push(required(`${at}.policies`, 'must specify at least one Policy'))
  rules.policies?.forEach(({ type, value, periodSeconds }, index) => {
    const here = `${at}.policies[${index}]`
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${here}.type`, type ?? '', ['Percent', 'Pods']))
    if (!(value > 0)) errors.push(invalidValue(`${here}.value`, value ?? 0, positive))
    if (!(periodSeconds > 0)) errors.push(invalidValue(`${here}.periodSeconds`, periodSeconds ?? 0, positive))
    if (periodSeconds > 1800) errors.push(invalidValue(`${here}.periodSeconds`, periodSeconds, 'must be less than or equal to 1800'))
  })
  return errors
}
