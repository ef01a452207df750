/**
 * What ran on a simulated node, read back out of its pods' statuses: a simulated container is nothing but what is told of
 * it, so that one whose server was killed goes on as if nothing had happened, as real ones do by themselves.
 */

import { resourcesOf } from '../../kubelet/container/resources.ts'
import type { Directories } from '../../kubelet/directories.ts'
import { withDefaultTag } from '../../kubelet/images/image-reference.ts'
import { allContainers, containerAnnotations, containerLabels, podLabels } from '../../kubelet/pod/identity.ts'
import type { V1Container, V1ContainerStatus, V1Pod } from '../../machinery/schema/generated/types.ts'
import type { RestoredContainer, RestoredPod } from '../../runtime/simulated/simulated-runtime.ts'

/** Undefined of a pod of which nothing has run yet, or nothing will any more. */
export function restoredPod(pod: V1Pod, directories: Directories, nodeMemory: number): RestoredPod | undefined {
  const { status, metadata, spec } = pod
  if (!status?.startTime || status.phase === 'Succeeded' || status.phase === 'Failed') return undefined
  const known = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])]
  const containers = allContainers(pod).flatMap(({ container }) => {
    const own = known.find(({ name }) => name === container.name)
    return (own && restoredContainer(pod, container as V1Container, own, nodeMemory)) ?? []
  })
  if (containers.length === 0) return undefined
  const { name, namespace, uid, annotations = {} } = metadata
  return {
    createdAt: Date.parse(status.startTime),
    ips: spec.hostNetwork ? [] : (status.podIPs ?? []).flatMap(({ ip }) => ip ?? []),
    containers,
    config: {
      metadata: { name, namespace, uid, attempt: 0 },
      hostname: name,
      logDirectory: directories.podLogs(metadata),
      dns: { servers: [], searches: [], options: [] },
      portMappings: [],
      labels: podLabels(pod),
      annotations,
      cgroupParent: '',
      network: spec.hostNetwork ? 'node' : 'pod',
      pid: 'container',
      ipc: 'pod',
      sysctls: {},
    },
  }
}

function restoredContainer(pod: V1Pod, container: V1Container, status: V1ContainerStatus, nodeMemory: number): RestoredContainer | undefined {
  const { state, lastState, restartCount } = status
  // While it waits for its next start, the last that ended is the newest there is.
  const ended = state?.terminated ?? (state?.running ? undefined : lastState?.terminated)
  const startedAt = state?.running?.startedAt ?? ended?.startedAt
  const id = (ended?.containerID || status.containerID || '').replace(/^.*:\/\//, '')
  if (!id || !startedAt) return undefined
  const { runAsUser, runAsGroup } = { ...pod.spec.securityContext, ...container.securityContext }
  return {
    id,
    image: withDefaultTag(container.image ?? '') ?? container.image ?? '',
    startedAt: Date.parse(startedAt),
    ...(ended
      ? {
          ended: {
            finishedAt: Date.parse(ended.finishedAt ?? startedAt),
            exitCode: ended.exitCode,
            reason: ended.reason ?? '',
            message: ended.message ?? '',
          },
        }
      : {}),
    config: {
      metadata: { name: container.name, attempt: restartCount },
      imageSpec: container.image ?? '',
      envs: [],
      mounts: [],
      devices: [],
      labels: containerLabels(pod, container),
      annotations: containerAnnotations(pod, container, restartCount),
      logPath: `${container.name}/${restartCount}.log`,
      stdin: container.stdin ?? false,
      stdinOnce: container.stdinOnce ?? false,
      tty: container.tty ?? false,
      resources: resourcesOf(pod, container, nodeMemory),
      security: {
        privileged: false,
        supplementalGroups: status.user?.linux?.supplementalGroups ?? [],
        addCapabilities: [],
        dropCapabilities: [],
        readonlyRootfs: false,
        noNewPrivileges: false,
        seccomp: { type: 'RuntimeDefault' },
        pid: 'container',
        ...(runAsUser === undefined ? {} : { runAsUser }),
        ...(runAsGroup === undefined ? {} : { runAsGroup }),
      },
    },
  }
}
