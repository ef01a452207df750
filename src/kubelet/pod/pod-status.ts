import { qualityOfService } from '../../apis/core/quality-of-service.ts'
import { timestamp } from '../../machinery/clock.ts'
import type { V1Container, V1ContainerStatus, V1PodStatus } from '../../machinery/schema/generated/types.ts'
import type { PendingResize } from './allocation.ts'
import { computeConditions, mergeConditions } from './conditions.ts'
import { containerStatuses, lostState, type StatusSources } from './container-statuses.ts'
import { computePhase } from './phase.ts'
import { readySandbox, somethingRuns } from './pod-runtime.ts'
import { isResized } from './resize.ts'

/** What was decided about the whole pod: evicted, its deadline passed, refused. */
export interface Verdict {
  phase: 'Failed'
  reason: string
  message: string
  /** In place of the pod's own. */
  graceSeconds?: number
  /** It ends for the node's sake. */
  disruption?: boolean
}

export interface PodStatusSources extends StatusSources {
  hostIPs: string[]
  now: number
  verdict?: Verdict
  pendingResize?: PendingResize
}

/** The whole status of a pod, from what the runtime has and what the probes say. */
export function computePodStatus(sources: PodStatusSources): V1PodStatus {
  const { pod, runtime, hostIPs, now, verdict, ending } = sources
  const stored = pod.status ?? {}
  const inits = containerStatuses(sources, pod.spec.initContainers ?? [], 'init')
  const computed = containerStatuses(sources, pod.spec.containers, 'app')
  const initialized = stored.conditions?.some(({ type, status }) => type === 'Initialized' && status === 'True')
  // Once it was initialized, a container that did not end as it should counts as failed, as upstream.
  const apps = sources.over && initialized ? computed.map(ended) : computed
  const ephemeral = containerStatuses(sources, (pod.spec.ephemeralContainers ?? []) as V1Container[], 'ephemeral')
  const byContainers = computePhase(pod, inits, apps, ending && !somethingRuns(runtime))
  // Whoever waits for the pod's end, such as a Job, is told it, also of a pod that was deleted before it ran.
  const decided = verdict?.phase ?? (sources.over && !isTerminal(byContainers) ? 'Failed' : byContainers)
  const wanted = isTerminal(stored.phase) ? stored.phase : decided
  // A pod whose containers still run has not ended, whatever was decided.
  const held = isTerminal(wanted) && !isTerminal(stored.phase) && somethingRuns(runtime)
  const phase = held ? (stored.phase ?? 'Pending') : (wanted ?? 'Pending')
  const sandbox = readySandbox(runtime)
  const drafts = computeConditions({ pod, phase: wanted ?? phase, sandboxReady: sandbox !== undefined, inits, apps })
  if (verdict?.disruption) drafts.push({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', message: verdict.message })
  if (sources.pendingResize) drafts.push({ type: 'PodResizePending', status: 'True', ...sources.pendingResize })
  if (!isTerminal(wanted) && isResized(pod, runtime)) drafts.push({ type: 'PodResizeInProgress', status: 'True' })
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
    qosClass: stored.qosClass ?? qualityOfService(pod.spec),
  }
}

const ended = (status: V1ContainerStatus): V1ContainerStatus =>
  status.state?.terminated ? status : { ...status, ready: false, started: false, state: { terminated: lostState } }

export const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
