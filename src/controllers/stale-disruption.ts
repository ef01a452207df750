/** Takes back a Pod's condition `DisruptionTarget` when nobody went on to delete it: what was to disrupt it has changed its mind, or died. */
import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { Pod } from '../client/resources.ts'
import { timestamp } from '../machinery/clock.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1Pod, V1PodCondition } from '../machinery/schema/generated/types.ts'
import { isActive } from './pod-state.ts'

const staleMs = 120_000
/** The kubelet ends the pod itself, however long that takes. */
const byKubelet = 'TerminationByKubelet'

export const staleDisruptionController: AnyController = defineController<V1Pod>({
  name: 'stale-pod-disruption-controller',
  reconciles: Pod,
  async reconcile(pod, { client, clock }) {
    const condition = pod?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
    if (!pod || !isActive(pod) || condition?.status !== 'True' || condition.reason === byKubelet) return
    const now = clock.now()
    const left = Date.parse(condition.lastTransitionTime ?? '1970-01-01T00:00:00Z') + staleMs - now
    if (left > 0) return { again: left }
    const taken: V1PodCondition = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: timestamp(now) }
    const conditions = (pod.status?.conditions ?? []).map((one) => (one === condition ? taken : one))
    try {
      await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error
    }
    return
  },
})
