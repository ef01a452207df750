/**
 * From what should be and what is to what is to be done: a pure function (upstream: computePodActions). The
 * pod worker carries the actions out; nothing of how it came to this state matters.
 */
import type { V1Container, V1Pod, V1Probe } from '../../machinery/schema/generated/types.ts'
import type { ContainerStatus } from '../../runtime/runtime.ts'
import { containerHash, hashAnnotation, isSidecar } from './identity.ts'
import { isRunning, latestOf, type PodRuntime, readySandbox } from './pod-runtime.ts'
import { needsRestart } from './resize.ts'
import { restartsAfter, restartsAnything, restartsWhenEnded } from './restart-policy.ts'

export interface PodActions {
  /** All that runs is to end: containers and sandbox. */
  killPod: boolean
  /** A new sandbox is to be made (after the kill, if both). */
  createSandbox: boolean
  sandboxAttempt: number
  start: V1Container[]
  kill: { container: ContainerStatus; spec: V1Container; message: string; probe?: V1Probe }[]
}

/** What the probes say of a container by its id. */
export interface ProbeVerdicts {
  /** `undefined`: not known yet. */
  started(containerId: string): boolean | undefined
  ready(containerId: string): boolean | undefined
  /** False: it failed and the container must end. */
  live(containerId: string): boolean | undefined
  /** False: the startup probe gave up. */
  startup(containerId: string): boolean | undefined
}

export function computeActions(pod: V1Pod, runtime: PodRuntime, probes: ProbeVerdicts): PodActions {
  const sandbox = readySandbox(runtime)
  const newest = runtime.sandboxes[0]
  const usable = sandbox && sandbox.id === newest?.id && (pod.spec.hostNetwork || sandbox.ips.length > 0)
  if (!usable) return withoutSandbox(pod, runtime, newest ? newest.metadata.attempt + 1 : 0)

  const actions: PodActions = { killPod: false, createSandbox: false, sandboxAttempt: newest.metadata.attempt, start: [], kill: [] }
  for (const container of pod.spec.ephemeralContainers ?? []) if (!latestOf(runtime, container.name)) actions.start.push(container as V1Container)
  // Init containers of an earlier sandbox have to run again.
  const current: PodRuntime = { sandboxes: runtime.sandboxes, containers: runtime.containers.filter((one) => one.sandboxId === newest.id) }
  const initialized = initActions(pod, current, probes, actions)
  if (!initialized || actions.killPod) return actions

  let kept = 0
  let starting = 0
  for (const container of pod.spec.containers) {
    const status = latestOf(runtime, container.name)
    if (!status || !isRunning(status)) {
      if (shouldRestart(pod, container, status)) {
        if (status?.state === 'unknown')
          actions.kill.push({ container: status, spec: container, message: `Container ${container.name} is in unknown state, try killing it before restart` })
        actions.start.push(container)
        starting++
      }
      continue
    }
    const end = reasonToEnd(pod, container, status, probes)
    if (!end) {
      kept++
      continue
    }
    const restart = end.always || restartsWhenEnded(pod, container)
    actions.kill.push({
      container: status,
      spec: container,
      message: restart ? `${end.message}, will be restarted` : end.message,
      ...(end.probe ? { probe: end.probe } : {}),
    })
    if (restart) {
      actions.start.push(container)
      starting++
    }
  }
  if (kept === 0 && starting === 0 && actions.kill.length === 0) {
    actions.killPod = true
    actions.start = []
  }
  return actions
}

/** Whether a container that does not run is to be started (again). */
function shouldRestart(pod: V1Pod, container: V1Container, status: ContainerStatus | undefined): boolean {
  if (!status || status.state === 'unknown' || status.state === 'created') return true
  return !isRunning(status) && restartsAfter(pod, container, status.exitCode ?? 137)
}

function withoutSandbox(pod: V1Pod, runtime: PodRuntime, attempt: number): PodActions {
  const actions: PodActions = { killPod: runtime.sandboxes.length > 0, createSandbox: true, sandboxAttempt: attempt, start: [], kill: [] }
  const ranBefore = attempt > 0 && runtime.containers.length > 0
  const toStart = pod.spec.containers.filter(
    (container) => shouldRestart(pod, container, latestOf(runtime, container.name)) || isLeftRunning(runtime, container),
  )
  if ((ranBefore && !restartsAnything(pod)) || toStart.length === 0) return { ...actions, createSandbox: false }
  const [firstInit] = pod.spec.initContainers ?? []
  actions.start = firstInit ? [firstInit] : toStart
  return actions
}

/** It runs in a sandbox that is gone; it will be killed with it and has to come back. */
const isLeftRunning = (runtime: PodRuntime, container: V1Container) => latestOf(runtime, container.name)?.state === 'running'

/** Adds what init containers need; true when the pod's own containers may run. */
function initActions(pod: V1Pod, current: PodRuntime, probes: ProbeVerdicts, actions: PodActions): boolean {
  const inits = pod.spec.initContainers ?? []
  const wasInitialized = pod.spec.containers.some((container) => latestOf(current, container.name) !== undefined)
  for (const [index, container] of inits.entries()) {
    const status = latestOf(current, container.name)
    const laterOnesRan = inits.slice(index + 1).some((later) => latestOf(current, later.name) !== undefined)
    if (isSidecar(container)) {
      if (!status || !isRunning(status)) {
        actions.start.push(container)
        if (!wasInitialized && !laterOnesRan) return false
        continue
      }
      const end = reasonToEnd(pod, container, status, probes)
      if (end) {
        actions.kill.push({ container: status, spec: container, message: `${end.message}, will be restarted`, ...(end.probe ? { probe: end.probe } : {}) })
        actions.start.push(container)
      }
      if (!wasInitialized && probes.started(status.id) !== true) return false
      continue
    }
    if (wasInitialized) continue
    if (!status) {
      // Its record may have been collected; a later one cannot run before this one is done.
      if (laterOnesRan) continue
      actions.start.push(container)
      return false
    }
    if (isRunning(status)) return false
    if (status.state === 'exited' && status.exitCode === 0) continue
    if (status.state === 'exited' && !restartsAfter(pod, container, status.exitCode ?? 137)) {
      actions.killPod = true
      actions.start = []
      return false
    }
    actions.start.push(container)
    return false
  }
  return true
}

function reasonToEnd(
  pod: V1Pod,
  container: V1Container,
  status: ContainerStatus,
  probes: ProbeVerdicts,
): { message: string; always: boolean; probe?: V1Probe } | undefined {
  const hash = status.annotations[hashAnnotation]
  if (hash !== undefined && hash !== containerHash(container)) return { message: `Container ${container.name} definition changed`, always: true }
  if (needsRestart(pod, container, status)) return { message: `Container ${container.name} resize requires restart`, always: true }
  if (probes.live(status.id) === false && container.livenessProbe)
    return { message: `Container ${container.name} failed liveness probe`, always: false, probe: container.livenessProbe }
  if (probes.startup(status.id) === false && container.startupProbe)
    return { message: `Container ${container.name} failed startup probe`, always: false, probe: container.startupProbe }
  return undefined
}
