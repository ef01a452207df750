/**
 * What each component did, told from the record of causes and from nothing else: every write with who made it, every
 * span of work between.
 */
import type { RecordedSpan, RecordedWrite, TraceLog } from '../../trace/trace-log.ts'
import type { Happened } from './step.ts'

/** Heartbeats and the like, which would bury what the step did. */
const noise = new Set(['leases.coordination.k8s.io', 'events', 'events.events.k8s.io', 'nodes'])

const verbs: Record<string, string> = { create: 'created', update: 'updated', patch: 'changed', apply: 'applied', delete: 'deleted' }

/** The name that the guide has for who wrote. */
function componentOf(write: RecordedWrite): string {
  if (write.component) return write.component
  const agent = write.userAgent.split('/')[0] ?? ''
  return agent || write.user
}

function sentence(write: RecordedWrite): string {
  const kind = write.resource.split('.')[0]
  if (write.subresource === 'binding') return `bound pod ${write.name} to a node`
  const part = write.subresource ? `the ${write.subresource} of ` : ''
  return `${verbs[write.verb] ?? write.verb} ${part}${kind}/${write.name} (revision ${write.revision})`
}

const spanSentence = (span: RecordedSpan) => {
  const attributes = Object.entries(span.attributes ?? {}).map(([name, value]) => `${name} ${value}`)
  const details = [...attributes, `${Math.max(0, Math.round(span.end - span.start))} ms`].join(', ')
  return `${span.name}${span.about ? ` ${span.about}` : ''} (${details})`
}

/** Everything after `revision` and `since` (milliseconds), in order of time; writes that repeat are told once. */
export function whatHappened(trace: TraceLog, revision: number, since: number, until: number): Happened[] {
  const found: { at: number; component: string; what: string }[] = []
  const told = new Set<string>()
  for (const write of trace.writesAfter(revision)) {
    if (noise.has(write.resource) || write.at > until) continue
    const component = componentOf(write)
    const repeated = `${component} ${write.verb} ${write.subresource} ${write.resource} ${write.namespace} ${write.name}`
    if (told.has(repeated)) continue
    told.add(repeated)
    found.push({ at: write.at, component, what: sentence(write) })
  }
  for (const span of trace.spansBetween(since, until)) found.push({ at: span.start, component: span.component, what: spanSentence(span) })
  return found.sort((a, b) => a.at - b.at).map(({ at, component, what }) => ({ component, what, at: new Date(at).toISOString() }))
}
