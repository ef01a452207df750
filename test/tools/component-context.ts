/** A component's surroundings for tests of one component alone: an API server in memory and the real clock. */
import { createClient } from '../../src/client/api-client.ts'
import type { Client, Span } from '../../src/client/client.ts'
import type { ComponentContext, Logger } from '../../src/client/component.ts'
import { createInformerFactory } from '../../src/client/informer-factory.ts'
import { silentLogger } from '../../src/client/logger.ts'
import { MemoryServer } from '../../src/client/testing/memory-server.ts'
import { realClock } from '../../src/machinery/real-clock.ts'

export interface TestContext extends ComponentContext {
  server: MemoryServer
  client: Client
  spans: Span[]
  warnings: string[]
}

/** A second one over the same `server` is as a component that was started again. */
export function componentContext(server = new MemoryServer(realClock)): TestContext {
  const client = createClient(server, { userAgent: 'test/1' })
  const spans: Span[] = []
  const warnings: string[] = []
  const note = (message: string, fields?: Record<string, unknown>) =>
    void warnings.push(fields ? `${message} ${String(fields.error ?? JSON.stringify(fields))}` : message)
  const log: Logger = { ...silentLogger, warn: note, error: note, with: () => log }
  return {
    server,
    client,
    spans,
    warnings,
    clock: realClock,
    log,
    informers: createInformerFactory({ client, clock: realClock, log: silentLogger }),
    span: (span) => void spans.push(span),
  }
}
