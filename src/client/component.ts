/** What every component is given, and what starting one returns. */
import type { Clock } from '../machinery/clock.ts'
import type { MetricRegistry } from '../machinery/metrics/registry.ts'
import type { Client, Span } from './client.ts'
import type { InformerFactory } from './informer.ts'

export interface ComponentContext {
  /** Speaks as this component's own user. */
  client: Client
  /** Informers over `client`, shared by all that is of the component (decision 8). */
  informers: InformerFactory
  clock: Clock
  log: Logger
  /** What the component counts; absent where nobody will ask. */
  metrics?: MetricRegistry
  /** Records work that no write carries (rules loaded, a name served). */
  span(span: Span): void
}

export interface Component {
  readonly name: string
  /** Resolves when all it started has ended; containers go on running. */
  stop(): Promise<void>
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  /** A logger that adds these fields to each line. */
  with(fields: Record<string, unknown>): Logger
}
