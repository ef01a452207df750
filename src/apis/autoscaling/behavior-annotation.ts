/**
 * A behavior as text in an annotation of version 1. Clients find its keys there with capitals, and values that are not
 * set as null; who writes the annotation may write keys in any case.
 */
import { isObject } from '../../machinery/patch/json-value.ts'
import type { V2HorizontalPodAutoscalerBehavior, V2HPAScalingRules } from '../../machinery/schema/generated/types.ts'
import { scalingRulesDefaults } from './scaling-rules.ts'

export function behaviorToText({ scaleUp, scaleDown }: V2HorizontalPodAutoscalerBehavior): string {
  return JSON.stringify({ ScaleUp: rulesWithCapitals(scaleUp), ScaleDown: rulesWithCapitals(scaleDown) })
}

const rulesWithCapitals = (rules: V2HPAScalingRules | undefined) =>
  rules
    ? {
        StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
        SelectPolicy: rules.selectPolicy ?? null,
        Policies: rules.policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ?? null,
        Tolerance: rules.tolerance ?? null,
      }
    : null

/** Of a direction that the text does not mention, the defaults hold. */
export function behaviorFromParsed(parsed: unknown): V2HorizontalPodAutoscalerBehavior | undefined {
  if (!isObject(parsed)) return undefined
  const behavior = withoutCapitals(parsed) as V2HorizontalPodAutoscalerBehavior
  const usual: V2HorizontalPodAutoscalerBehavior = {}
  scalingRulesDefaults(usual)
  return { ...usual, ...behavior }
}

function withoutCapitals(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCapitals)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[names.get(key.toLowerCase()) ?? key, withoutCapitals(inner)]])),
  )
}

const names = new Map<string, string>(
  ['scaleUp', 'scaleDown', 'stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance', 'type', 'value', 'periodSeconds'].map((name) => [
    name.toLowerCase(),
    name,
  ]),
)
