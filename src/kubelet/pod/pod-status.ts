import { timestamp } from '../../machinery/clock.ts'
import type { V1Container, V1PodStatus } from '../../machinery/schema/generated/types.ts'
import { computeConditions, mergeConditions } from './conditions.ts'
import { containerStatuses, type StatusSources } from './container-statuses.ts'
import { computePhase } from './phase.ts'
import { readySandbox, somethingRuns } from './pod-runtime.ts'
import { qualityOfService } from './quality-of-service.ts'

export interface PodStatusSources extends StatusSources {
  hostIPs: string[]
  now: number
  /** What was decided about the whole pod: evicted, its deadline passed, refused. */
  verdict?: { phase: 'Failed'; reason: string; message: string }
}

/** The whole status of a pod, from what the runtime has and what the probes say. */
export function computePodStatus(sources: PodStatusSources): V1PodStatus {
  const { pod, runtime, hostIPs, now, verdict, ending } = sources
  const stored = pod.status ?? {}
  const inits = containerStatuses(sources, pod.spec.initContainers ?? [], 'init')
  const apps = containerStatuses(sources, pod.spec.containers, 'app')
  const ephemeral = containerStatuses(sources, (pod.spec.ephemeralContainers ?? []) as V1Container[], 'ephemeral')
  const wanted = isTerminal(stored.phase) ? stored.phase : (verdict?.phase ?? computePhase(pod, inits, apps, ending && !somethingRuns(runtime)))
  // A pod whose containers still run has not ended, whatever was decided.
  const held = isTerminal(wanted) && !isTerminal(stored.phase) && somethingRuns(runtime)
  const phase = held ? (stored.phase ?? 'Pending') : (wanted ?? 'Pending')
  const sandbox = readySandbox(runtime)
  const drafts = computeConditions({ pod, phase: wanted ?? phase, sandboxReady: sandbox !== undefined, inits, apps })
  const ips = pod.spec.hostNetwork ? (runtime.sandboxes.length > 0 ? hostIPs : []) : (sandbox?.ips ?? [])
  const reason = verdict?.reason ?? stored.reason
  const message = verdict?.message ?? stored.message
  const [hostIP] = hostIPs
  const podIPs = ips.length > 0 ? ips : (stored.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []))
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: mergeConditions(drafts, stored.conditions ?? [], pod.metadata.generation, timestamp(now)),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(hostIP ? { hostIP, hostIPs: hostIPs.map((ip) => ({ ip })) } : {}),
    ...(podIPs[0] ? { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    startTime: stored.startTime ?? timestamp(now),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    containerStatuses: apps,
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: stored.qosClass ?? qualityOfService(pod),
  }
}

export const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
