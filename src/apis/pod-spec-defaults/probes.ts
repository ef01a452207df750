import type { V1HTTPGetAction, V1Lifecycle, V1Probe } from '../../machinery/schema/generated/types.ts'

export function probeDefaults(probe: V1Probe | undefined): void {
  if (!probe) return
  // Zero means unset: these fields are not pointers on the wire.
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  httpGetDefaults(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
}

export function lifecycleDefaults(lifecycle: V1Lifecycle | undefined): void {
  httpGetDefaults(lifecycle?.postStart?.httpGet)
  httpGetDefaults(lifecycle?.preStop?.httpGet)
}

function httpGetDefaults(action: V1HTTPGetAction | undefined): void {
  if (!action) return
  action.path ||= '/'
  action.scheme ||= 'HTTP'
}
