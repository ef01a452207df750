import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ContainerStatus } from '../../runtime/runtime.ts'
import type { PodServices } from '../pod/pod-services.ts'
import { type LogOptions, readContainerLog, readKeptLog } from './container-log.ts'
import { HttpError, type Target } from './pod-target.ts'

const isSet = (query: URLSearchParams, name: string) => ['true', '1'].includes(query.get(name) ?? '')

export function logOptions(query: URLSearchParams, now: number): LogOptions {
  const number = (name: string): number | undefined => {
    const text = query.get(name)
    if (text === null || text === '' || text === 'all') return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid ${name}: ${JSON.stringify(text)}`)
    return value
  }
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = query.get('sinceTime')
  const since = sinceSeconds !== undefined ? now - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined
  const tailLines = number('tailLines')
  const limitBytes = number('limitBytes')
  const stream = query.get('stream')?.toLowerCase()
  return {
    follow: isSet(query, 'follow'),
    timestamps: isSet(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(since === undefined || Number.isNaN(since) ? {} : { since }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
  }
}

export async function serveContainerLog(
  target: Target,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
  services: PodServices,
): Promise<void> {
  const { clock, runtime, files } = services
  const options = logOptions(query, clock.now())
  const container = chooseAttempt(target, isSet(query, 'previous'), services)
  const gone = new AbortController()
  request.once('close', () => gone.abort(new Error('the client went away')))
  response.once('close', () => gone.abort(new Error('the client went away')))
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.flushHeaders()
  const isRunning = async () => (await runtime.containerStatus(container.id))?.state === 'running'
  const reading = { clock, isRunning, signal: gone.signal }
  const chunks = files.keeps ? readContainerLog(container.logPath, options, reading) : readKeptLog(() => files.readFile(container.logPath), options, reading)
  for await (const chunk of chunks) {
    if (!response.write(chunk)) await Promise.race([once(response, 'drain', { signal: gone.signal }), once(response, 'close')]).catch(() => {})
    if (gone.signal.aborted) return
  }
  response.end()
}

function chooseAttempt({ pod, container = '', attempts }: Target, previous: boolean, { statuses }: PodServices): ContainerStatus {
  const names = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`
  const status = statuses.get(pod.metadata.uid) ?? pod.status
  const own = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  )
  const ran = attempts.filter((one) => one.state !== 'created')
  if (previous) {
    const [latest, before] = ran
    // While it waits for its next start, the last one that ended is the previous one.
    const ended = own?.state?.waiting && latest?.state === 'exited' ? latest : before
    if (!ended) throw new HttpError(400, `previous terminated ${names} not found`)
    return ended
  }
  const [latest] = ran
  if (latest) return latest
  if (own?.state?.waiting) {
    const { reason = '', message } = own.state.waiting
    if (reason === 'ErrImagePull') throw new HttpError(400, `${names} is waiting to start: image can't be pulled`)
    if (reason === 'ImagePullBackOff') throw new HttpError(400, `${names} is waiting to start: trying and failing to pull image`)
    throw new HttpError(400, `${names} is waiting to start: ${reason || message}`)
  }
  throw new HttpError(400, `${names} is not available`)
}
