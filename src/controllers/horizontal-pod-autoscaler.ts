/** Scales what HorizontalPodAutoscalers point at, by the metrics they name, every fifteen seconds. */
import { defineController } from '../client/controller.ts'
import type { AnyController } from '../client/controller-runner.ts'
import { HorizontalPodAutoscaler, Pod } from '../client/resources.ts'
import type { V2HorizontalPodAutoscaler } from '../machinery/schema/generated/types.ts'
import { AutoscalerMetrics, actionOf } from './autoscaling/autoscaler-metrics.ts'
import { type EvaluationOptions, evaluate } from './autoscaling/evaluate.ts'
import { ScaleTargets } from './autoscaling/scale-target.ts'
import { ScalingHistory } from './autoscaling/scaling-history.ts'
import { SelectorClaims } from './autoscaling/selector-claims.ts'
import { deepEqual } from './deep-equal.ts'

export interface AutoscalerOptions extends Partial<EvaluationOptions> {
  /** Between two looks at an autoscaler. */
  periodMs?: number
}

interface Known {
  history: ScalingHistory
  lookedAt: number
  /** As it was looked at: a changed one is looked at again at once. */
  spec: string
}

export function horizontalPodAutoscalerController(options: AutoscalerOptions = {}): AnyController {
  const periodMs = options.periodMs ?? 15_000
  const settings: EvaluationOptions = {
    tolerance: options.tolerance ?? 0.1,
    downStabilizationMs: options.downStabilizationMs ?? 300_000,
    times: options.times ?? { initializationMs: 300_000, readinessDelayMs: 30_000 },
  }
  const known = new Map<string, Known>()
  const claims = new SelectorClaims()
  const targets = new ScaleTargets()

  return defineController<V2HorizontalPodAutoscaler>({
    name: 'horizontal-pod-autoscaler',
    reconciles: HorizontalPodAutoscaler,
    reads: [Pod],
    async reconcile(autoscaler, context) {
      const { key, clock } = context
      const metrics = new AutoscalerMetrics(context.metrics)
      metrics.count(() => known.size)
      const mine = known.get(key) ?? { history: new ScalingHistory(), lookedAt: Number.NEGATIVE_INFINITY, spec: '' }
      if (!autoscaler) {
        claims.release(key)
        known.delete(key)
        const [namespace = '', name = ''] = key.split('/')
        metrics.desired(namespace, name, undefined)
        return undefined
      }
      known.set(key, mine)
      const now = clock.now()
      const spec = JSON.stringify(autoscaler.spec)
      const due = mine.lookedAt + periodMs
      // Its own status wakes it, too.
      if (spec === mine.spec && now < due) return { again: due - now }
      Object.assign(mine, { spec, lookedAt: now })
      const start = clock.monotonic()
      const status = await evaluate({
        metrics,
        autoscaler,
        context,
        history: mine.history,
        targets,
        options: settings,
        claims,
      })
      const { namespace, name } = autoscaler.metadata
      const scaled = status.lastScaleTime !== autoscaler.status?.lastScaleTime
      const failed = status.conditions?.some(
        ({ type, status: is, reason }) => is === 'False' && (type === 'AbleToScale' || (type === 'ScalingActive' && reason !== 'ScalingDisabled')),
      )
      const invalid = status.conditions?.some(
        ({ reason }) => reason === 'InvalidSelector' || reason === 'AmbiguousSelector' || reason === 'InvalidMetricSourceType',
      )
      const action = scaled ? actionOf(status.currentReplicas ?? 0, status.desiredReplicas) : 'none'
      metrics.reconciled(action, invalid ? 'spec' : failed ? 'internal' : 'none', clock.monotonic() - start)
      metrics.desired(namespace, name, status.desiredReplicas)
      try {
        if (!deepEqual(status, autoscaler.status)) await context.client.updateStatus(HorizontalPodAutoscaler, { ...autoscaler, status })
      } catch (error) {
        mine.lookedAt = Number.NEGATIVE_INFINITY
        throw error
      }
      return { again: periodMs }
    },
  })
}
