import type { V1Pod } from '../../machinery/schema/generated/types.ts'

const systemCritical = 2_000_000_000

/** Without it the node is not usable: it is admitted under pressure, and never evicted. */
export const isCritical = (pod: V1Pod): boolean => (pod.spec.priority ?? 0) >= systemCritical
