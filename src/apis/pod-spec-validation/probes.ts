import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import type { V1Lifecycle, V1LifecycleHandler, V1Probe } from '../../machinery/schema/generated/types.ts'
import { isHttpHeaderName, isPortNumber, isPortNumberOrName, nonNegative, positive } from '../formats.ts'

type Handler = Pick<V1Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<V1LifecycleHandler, 'sleep'>

export function validateLifecycle(lifecycle: V1Lifecycle | undefined, gracePeriod: number | undefined, at: string): FieldError[] {
  if (!lifecycle) return []
  const errors: FieldError[] = []
  if (lifecycle.postStart) errors.push(...validateHandler(lifecycle.postStart, gracePeriod, `${at}.postStart`))
  if (lifecycle.preStop) errors.push(...validateHandler(lifecycle.preStop, gracePeriod, `${at}.preStop`))
  return errors
}

export function validateProbe(probe: V1Probe | undefined, kind: 'liveness' | 'readiness' | 'startup', at: string): FieldError[] {
  if (!probe) return []
  const errors = validateHandler(probe, undefined, at)
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    const value = probe[field] ?? 0
    if (value < 0) errors.push(invalidValue(`${at}.${field}`, value, nonNegative))
  }
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) errors.push(invalidValue(`${at}.terminationGracePeriodSeconds`, grace, positive))
  if (kind === 'readiness') {
    if (grace !== undefined) errors.push(invalidValue(`${at}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'))
  } else if (probe.successThreshold !== 1) errors.push(invalidValue(`${at}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  return errors
}

function validateHandler(handler: Handler, gracePeriod: number | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  let count = 0
  const only = (kind: string, check: () => void) => {
    if (count++ > 0) errors.push(forbiddenField(`${at}.${kind}`, 'may not specify more than 1 handler type'))
    else check()
  }
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  if (exec)
    only('exec', () => {
      if (!exec.command?.length) errors.push(required(`${at}.exec.command`))
    })
  if (httpGet) only('httpGet', () => errors.push(...validateHttpGet(httpGet, `${at}.httpGet`)))
  if (tcpSocket) only('tcpSocket', () => errors.push(...validatePort(tcpSocket.port, `${at}.tcpSocket.port`)))
  if (grpc)
    only('grpc', () => {
      for (const message of isPortNumber(grpc.port)) errors.push(invalidValue(`${at}.grpc.port`, grpc.port, message))
    })
  if (sleep)
    only('sleep', () => {
      const seconds = sleep.seconds ?? 0
      const max = gracePeriod ?? 30
      if (seconds < 0 || seconds > max)
        errors.push(invalidValue(`${at}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${max})`))
    })
  if (count === 0) errors.push(required(at, 'must specify a handler type'))
  return errors
}

function validateHttpGet(action: NonNullable<Handler['httpGet']>, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (!action.path) errors.push(required(`${at}.path`))
  errors.push(...validatePort(action.port, `${at}.port`))
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') errors.push(notSupported(`${at}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']))
  for (const header of action.httpHeaders ?? [])
    for (const message of isHttpHeaderName(header.name ?? '')) errors.push(invalidValue(`${at}.httpHeaders`, header.name ?? '', message))
  return errors
}

const validatePort = (port: number | string | undefined, at: string): FieldError[] =>
  isPortNumberOrName(port ?? 0).map((message) => invalidValue(at, port ?? 0, message))
