import type { V1Taint, V1Toleration } from '../../machinery/schema/generated/types.ts'

/** Whether a toleration lets a taint pass. An empty key with `Exists` matches all; an empty effect matches all effects. */
export function tolerates(toleration: V1Toleration, taint: V1Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  if (toleration.operator === 'Lt' || toleration.operator === 'Gt') {
    const [value, bound] = [Number(taint.value), Number(toleration.value)]
    return toleration.operator === 'Lt' ? value < bound : value > bound
  }
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '')
}
