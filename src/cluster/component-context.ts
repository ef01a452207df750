/** Gives each component its client (as its own user, in process), informers, and a place for its spans. */
import type { UserInfo } from '../apiserver/request.ts'
import type { Span } from '../client/client.ts'
import type { ComponentContext, Logger } from '../client/component.ts'
import { createInformerFactory } from '../client/informer-factory.ts'
import type { Clock } from '../machinery/clock.ts'
import { componentMetrics } from './component-metrics.ts'
import type { ControlPlane } from './control-plane.ts'

export interface ContextSources {
  controlPlane: ControlPlane
  clock: Clock
  log: Logger
  recordSpan?(component: string, span: Span): void
}

/** Called at the end, by whoever asked for the context. */
export type StopContext = () => void

export function componentContext({ controlPlane, clock, log, recordSpan }: ContextSources, component: string, user: UserInfo): [ComponentContext, StopContext] {
  const metrics = componentMetrics()
  const client = controlPlane.client(user, component, metrics)
  const componentLog = log.with({ component })
  const informers = createInformerFactory({ client, clock, log: componentLog })
  const context: ComponentContext = { client, informers, clock, log: componentLog, metrics, span: (span) => recordSpan?.(component, span) }
  return [context, () => informers.stop()]
}
