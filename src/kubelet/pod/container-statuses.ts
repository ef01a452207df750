import { timestamp } from '../../machinery/clock.ts'
import type { V1Container, V1ContainerState, V1ContainerStatus, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { ContainerStatus } from '../../runtime/runtime.ts'
import type { ProbeVerdicts } from './actions.ts'
import { isSidecar, restartCountAnnotation } from './identity.ts'
import { attemptsOf, type PodRuntime } from './pod-runtime.ts'
import { isResizing } from './resize.ts'

/** Why a container could not be started, or may not be yet. */
export interface WaitingReason {
  reason: string
  message: string
}

export interface StatusSources {
  pod: V1Pod
  runtime: PodRuntime
  probes: ProbeVerdicts
  /** By container name. */
  waiting: ReadonlyMap<string, WaitingReason>
  /** Of the runtime, before `://` in container ids. */
  runtimeName: string
  /** Read from the file of a container that has ended. */
  terminationMessages: ReadonlyMap<string, string>
  /** A pod that is ending or has ended: nothing is waited for any more. */
  ending: boolean
  /** Nothing of it runs or will run: what has not ended by now never was, or is lost. */
  over?: boolean
}

/** The status of each of these containers, in their order. */
export function containerStatuses(sources: StatusSources, containers: readonly V1Container[], kind: 'init' | 'app' | 'ephemeral'): V1ContainerStatus[] {
  return containers.map((container) => statusOf(sources, container, kind))
}

function previousStatus({ pod }: StatusSources, name: string, kind: 'init' | 'app' | 'ephemeral'): V1ContainerStatus | undefined {
  const lists = { init: pod.status?.initContainerStatuses, app: pod.status?.containerStatuses, ephemeral: pod.status?.ephemeralContainerStatuses }
  return lists[kind]?.find((status) => status.name === name)
}

function statusOf(sources: StatusSources, container: V1Container, kind: 'init' | 'app' | 'ephemeral'): V1ContainerStatus {
  const { pod, runtime, probes, runtimeName } = sources
  const [latest, before] = attemptsOf(runtime, container.name)
  const previous = previousStatus(sources, container.name, kind)
  const waiting = sources.waiting.get(container.name)
  if (!latest) {
    if (previous?.state?.terminated) return previous
    // It ran, and the runtime knows nothing of it any more: the record of it is lost.
    const lost = previous?.state?.running
    const state = sources.ending && lost ? { terminated: lostState } : { waiting: waitingState(waiting, pod) }
    return {
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: false,
      restartCount: previous?.restartCount ?? 0,
      started: false,
      state,
      lastState: lost && !sources.ending ? { terminated: lostState } : (previous?.lastState ?? {}),
    }
  }
  const last = before ?? undefined
  const running = latest.state === 'running'
  const started = running && probes.started(latest.id) === true
  const status: V1ContainerStatus = {
    name: container.name,
    containerID: `${runtimeName}://${latest.id}`,
    image: latest.image.startsWith('sha256:') ? (container.image ?? '') : latest.image,
    imageID: latest.imageRef,
    ready: isReady(container, kind, latest, sources),
    restartCount: Math.max(restartCount(latest), previous?.containerID === `${runtimeName}://${latest.id}` ? previous.restartCount : 0),
    started,
    state: stateOf(latest, sources),
    lastState: last ? stateOf(last, sources) : (previous?.lastState ?? {}),
  }
  if (latest.user) status.user = { linux: { uid: latest.user.uid, gid: latest.user.gid, supplementalGroups: latest.user.supplementalGroups } }
  if (container.resources && running) {
    // Until they are changed in the kernel the container has those from before.
    status.resources = (isResizing(pod, container, latest) && previous?.resources) || container.resources
    if (container.resources.requests) status.allocatedResources = container.resources.requests
  }
  if (container.volumeMounts?.length)
    status.volumeMounts = container.volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: recursiveReadOnly ?? 'Disabled' } : {}),
    }))
  // It has ended and waits for its next start: the end becomes the last state.
  if (waiting && latest.state === 'exited' && !sources.ending) {
    status.lastState = status.state ?? {}
    status.state = { waiting: { ...waiting } }
    status.started = false
  } else if (waiting && latest.state === 'created' && !sources.ending) status.state = { waiting: { ...waiting } }
  return status
}

/** Of a container whose end nobody saw. */
export const lostState = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
}

function waitingState(waiting: WaitingReason | undefined, pod: V1Pod): { reason: string; message?: string } {
  if (waiting) return { ...waiting }
  return { reason: pod.spec.initContainers?.length ? 'PodInitializing' : 'ContainerCreating' }
}

export const restartCount = (container: ContainerStatus): number => Number(container.annotations[restartCountAnnotation] ?? container.metadata.attempt)

function stateOf(container: ContainerStatus, sources: StatusSources): V1ContainerState {
  const startedAt = container.startedAt === undefined ? undefined : timestamp(container.startedAt)
  if (container.state === 'running') return { running: { ...(startedAt ? { startedAt } : {}) } }
  if (container.state === 'exited') {
    const message = sources.terminationMessages.get(container.id) || container.message
    return {
      terminated: {
        exitCode: container.exitCode ?? 137,
        reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
        ...(message ? { message } : {}),
        startedAt: startedAt ?? timestamp(container.createdAt),
        ...(container.finishedAt === undefined ? {} : { finishedAt: timestamp(container.finishedAt) }),
        containerID: `${sources.runtimeName}://${container.id}`,
      },
    }
  }
  return { waiting: waitingState(undefined, sources.pod) }
}

function isReady(container: V1Container, kind: 'init' | 'app' | 'ephemeral', latest: ContainerStatus, { probes }: StatusSources): boolean {
  if (kind === 'ephemeral') return false
  if (kind === 'init' && !isSidecar(container)) return latest.state === 'exited' && latest.exitCode === 0
  return latest.state === 'running' && probes.started(latest.id) === true && probes.ready(latest.id) === true
}
