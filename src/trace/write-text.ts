/** Recorded writes as text, as short as can be: an array of values for each. */
import type { RecordedWrite, WriteToRecord } from './trace-log.ts'

const maxSeen = 32

type Values = [
  revision: number,
  resource: string,
  namespace: string,
  name: string,
  verb: string,
  subresource: string,
  user: string,
  userAgent: string,
  component: string,
  at: number,
  requestId: string,
  ...seen: number[],
]

export function writeText({ revision, resource, namespace, name, verb, subresource, user, userAgent, cause, at, requestId }: WriteToRecord): string {
  const values: Values = [revision, resource, namespace, name, verb, subresource, user.name, userAgent, cause?.component ?? '', at, requestId]
  if (cause) for (let i = Math.max(0, cause.seen.length - maxSeen); i < cause.seen.length; i++) values.push(cause.seen[i] as number)
  return JSON.stringify(values)
}

export const byRevision = (a: RecordedWrite, b: RecordedWrite): number => a.revision - b.revision

/** The writes of a list of such texts, by revision; none for what is no text. */
export function readWrites(texts: unknown): RecordedWrite[] {
  if (typeof texts !== 'string') return []
  const writes = (JSON.parse(texts) as Values[]).map(
    ([revision, resource, namespace, name, verb, subresource, user, userAgent, component, at, requestId, ...seen]): RecordedWrite => ({
      revision,
      resource,
      namespace,
      name,
      verb,
      subresource,
      user,
      userAgent,
      component,
      at,
      requestId,
      seen,
    }),
  )
  return writes.sort(byRevision)
}
