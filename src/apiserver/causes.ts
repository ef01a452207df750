/** Where the cause of a write comes from: in process with the request, over HTTP in a header of bounded size. */
import type { Cause, Span } from '../client/client.ts'
import { causeHeader } from '../client/transport.ts'
import type { ApiRequest } from './request.ts'

const maxBytes = 16 * 1024
const maxSeen = 32
const maxSpans = 64

/** Undefined when there is none, or when what is there is not one: a wrong header must not fail a write. */
export function causeOf(request: ApiRequest): Cause | undefined {
  if (request.cause) return request.cause
  const header = request.headers[causeHeader]
  if (!header || header.length > maxBytes) return undefined
  try {
    return asCause(JSON.parse(header))
  } catch {
    return undefined
  }
}

function asCause(value: unknown): Cause | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { component, seen, spans } = value as Record<string, unknown>
  if (typeof component !== 'string' || !Array.isArray(seen)) return undefined
  return {
    component,
    seen: seen.filter((revision): revision is number => Number.isSafeInteger(revision)).slice(-maxSeen),
    ...(Array.isArray(spans) ? { spans: spans.filter(isSpan).slice(-maxSpans) } : {}),
  }
}

const isSpan = (value: unknown): value is Span => {
  const { name, start, end } = (value ?? {}) as Record<string, unknown>
  return typeof name === 'string' && typeof start === 'number' && typeof end === 'number'
}
