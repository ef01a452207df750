/** Carries out what {@link computeActions} says: sandbox, volumes, containers in order. Throws to be called again. */
import type { Span } from '../../client/client.ts'
import { RuntimeClass } from '../../client/resources.ts'
import type { V1Container, V1Pod, V1Secret } from '../../machinery/schema/generated/types.ts'
import { messageOf, StartError } from '../container/start-error.ts'
import { goDuration } from '../restart-backoff.ts'
import { computeActions, type PodActions } from './actions.ts'
import { restartCount, type WaitingReason } from './container-statuses.ts'
import { backoffKey, describePod } from './identity.ts'
import type { ContainerKind } from './pod-metrics.ts'
import { latestOf, readySandbox } from './pod-runtime.ts'
import type { PodServices } from './pod-services.ts'
import { isResized, resizeContainers } from './resize.ts'
import { sandboxConfig } from './sandbox-config.ts'

export interface SyncRequest {
  pod: V1Pod
  services: PodServices
  /** By container name; filled and cleared here. */
  waiting: Map<string, WaitingReason>
  signal: AbortSignal
  record(span: Span): void
  /** Something has changed that others should see now. */
  report(): Promise<void>
}

export async function syncPod(request: SyncRequest): Promise<void> {
  const { pod, services, signal, record, waiting } = request
  const { uid } = pod.metadata
  const { cache, volumes, cgroups, probes, termination } = services
  const podIPs = () => (pod.spec.hostNetwork ? services.hostIPs : (readySandbox(cache.get(uid))?.ips ?? []))

  const actions = computeActions(pod, cache.get(uid), probes)
  if (actions.killPod) {
    await endAll(request, actions)
    if (!actions.createSandbox) return
  }
  for (const { container, spec, message, probe } of actions.kill) {
    waiting.delete(spec.name)
    const grace = probe?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
    await termination.endContainer(pod, container, podIPs()[0] ?? '', grace, message)
  }
  if (actions.start.length === 0 && !actions.createSandbox) {
    // Nothing to start, but what is mounted may have changed at its source, and limits in the pod.
    await volumes.mountAll(pod, podIPs(), record)
    if (isResized(pod, cache.get(uid))) {
      // A group may not have less than those below it: the pod's grows first and shrinks last.
      await cgroups.ensurePod(pod).catch((error: unknown) => services.log.debug('the group of the pod does not shrink yet', { pod: describePod(pod), error }))
      await resizeContainers(pod, cache.get(uid), services.runtime)
      await cgroups.ensurePod(pod)
    }
    return
  }
  signal.throwIfAborted()
  const cgroupParent = await cgroups.ensurePod(pod)
  const mounted = await volumes.mountAll(pod, podIPs(), record)
  signal.throwIfAborted()
  const config = sandboxConfig(pod, actions.sandboxAttempt, { ...services.sandbox, cgroupParent })
  const sandboxId = actions.createSandbox ? await createSandbox(request, config) : readySandbox(cache.get(uid))?.id
  if (!sandboxId) throw new Error('the sandbox is gone')
  if (actions.createSandbox) await request.report()

  const pullSecrets = await readPullSecrets(pod, services)
  let failed = false
  for (const container of actions.start) {
    signal.throwIfAborted()
    if (isBackedOff(request, container)) continue
    const runtime = cache.get(uid)
    try {
      await services.starter.start({
        pod,
        container,
        sandboxId,
        sandbox: config,
        runtime,
        volumes: mounted,
        pullSecrets,
        podIPs: podIPs(),
        attempt: nextAttempt(pod, container, request),
        signal,
        record,
      })
      waiting.delete(container.name)
      services.metrics?.container(kindOf(pod, container))
      await cache.refresh(uid)
      probes.sync(pod, cache.get(uid), podIPs()[0] ?? '')
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      services.metrics?.container(kindOf(pod, container), error.reason)
      services.log.debug('container not started', { pod: describePod(pod), container: container.name, reason: error.reason, error: error.message })
      waiting.set(container.name, { reason: error.reason, message: error.message })
      failed = true
    }
  }
  // Without sandbox before: the other containers come in the next round, from what is there then.
  if (failed) await request.report()
}

function kindOf({ spec }: V1Pod, { name }: V1Container): ContainerKind {
  if (spec.containers.some((one) => one.name === name)) return 'container'
  return spec.initContainers?.some((one) => one.name === name) ? 'init_container' : 'ephemeral_container'
}

async function endAll({ pod, services }: SyncRequest, actions: PodActions): Promise<void> {
  const { cache, runtime, termination, events, probes } = services
  const { uid } = pod.metadata
  const state = cache.get(uid)
  if (actions.createSandbox && state.sandboxes.length > 0) events.pod(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
  await termination.endPod(pod, state, state.sandboxes[0]?.ips[0] ?? '', pod.spec.terminationGracePeriodSeconds ?? 30)
  for (const sandbox of state.sandboxes) if (sandbox.state === 'ready') await runtime.stopPodSandbox(sandbox.id)
  probes.sync(pod, await cache.refresh(uid), '')
}

async function createSandbox({ pod, services, record }: SyncRequest, config: ReturnType<typeof sandboxConfig>): Promise<string> {
  const { runtime, clock, events, cache, files } = services
  const start = clock.now()
  const since = clock.monotonic()
  const about = `${pod.metadata.namespace}/${pod.metadata.name}`
  try {
    await files.makeDirectory(services.directories.pod(pod.metadata.uid), 0o750)
    await files.makeDirectory(config.logDirectory, 0o755)
    const runtimeHandler = await handlerOf(pod, services)
    const id = await runtime.runPodSandbox({ ...config, ...(runtimeHandler ? { runtimeHandler } : {}) })
    services.metrics?.sandbox(since, false)
    await cache.adopt(id)
    if (pod.spec.hostUsers === false)
      events.pod(pod, 'Warning', 'UserNamespaceNotSupported', 'hostUsers: false has no effect: users in the pod are those of the node')
    record({ name: 'run sandbox', start, end: clock.now(), about })
    return id
  } catch (error) {
    services.metrics?.sandbox(since, true)
    const message = messageOf(error)
    record({ name: 'run sandbox', start, end: clock.now(), about, attributes: { error: message } })
    events.pod(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`)
    throw error
  }
}

/** What the pod's RuntimeClass says is to run it. */
async function handlerOf({ spec: { runtimeClassName } }: V1Pod, { client }: PodServices): Promise<string | undefined> {
  if (!runtimeClassName) return undefined
  const found = await client.find(RuntimeClass, { name: runtimeClassName })
  if (!found) throw new Error(`failed to get sandbox runtime: runtimeclass.node.k8s.io ${JSON.stringify(runtimeClassName)} not found`)
  return found.handler
}

/** Whether the container has failed too often to be started now; says so on its status and in an event. */
function isBackedOff({ pod, services, waiting }: SyncRequest, container: V1Container): boolean {
  const { cache, backoff, events } = services
  const last = latestOf(cache.get(pod.metadata.uid), container.name)
  if (last?.state !== 'exited' || last.finishedAt === undefined) return false
  const key = backoffKey(pod, container)
  if (backoff.remaining(key, last.finishedAt) === 0) {
    backoff.next(key, last.finishedAt)
    return false
  }
  const about = describePod(pod)
  events.container(pod, container, 'Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${about}`)
  const message = `back-off ${goDuration(backoff.delayMs(key))} restarting failed container=${container.name} pod=${about}`
  waiting.set(container.name, { reason: 'CrashLoopBackOff', message })
  return true
}

/** How often it was started before: from the runtime, or from the status where the runtime has forgotten. */
function nextAttempt(pod: V1Pod, container: V1Container, { services }: SyncRequest): number {
  const last = latestOf(services.cache.get(pod.metadata.uid), container.name)
  if (last) return restartCount(last) + 1
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const known = statuses.find((status) => status.name === container.name)
  // One that was lost with its machine may stand there as ended already.
  return known && (known.containerID || known.lastState?.terminated) ? known.restartCount + 1 : 0
}

/** Secrets that are missing are left out: the image may be there, or be public. */
async function readPullSecrets(pod: V1Pod, { objects, events }: PodServices): Promise<V1Secret[]> {
  const found: V1Secret[] = []
  const missing: string[] = []
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue
    const secret = await objects.secret(pod, name, true)
    if (secret) found.push(secret)
    else missing.push(name)
  }
  if (missing.length > 0)
    events.pod(
      pod,
      'Warning',
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
    )
  return found
}
