import type { V1Container, V1Pod, V1SeccompProfile } from '../../machinery/schema/generated/types.ts'
import type { ContainerSecurity, Image, NamespaceMode } from '../../runtime/runtime.ts'
import { configError } from './start-error.ts'

/** The container's security settings: its own before the pod's. Throws when it would run as root against its word. */
export function securityOf(pod: V1Pod, container: V1Container, image: Image, targetContainerId: string | undefined): ContainerSecurity {
  const of = container.securityContext ?? {}
  const ofPod = pod.spec.securityContext ?? {}
  const runAsUser = of.runAsUser ?? ofPod.runAsUser
  const runAsGroup = of.runAsGroup ?? ofPod.runAsGroup
  if (of.runAsNonRoot ?? ofPod.runAsNonRoot) checkNotRoot(pod, container, image, runAsUser)
  const privileged = of.privileged ?? false
  const groups = new Set(ofPod.supplementalGroups ?? [])
  if (ofPod.fsGroup !== undefined) groups.add(ofPod.fsGroup)
  const unmasked = of.procMount === 'Unmasked' || privileged
  return {
    privileged,
    ...(runAsUser === undefined ? imageUser(image) : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: [...groups],
    ...(ofPod.supplementalGroupsPolicy === 'Strict' ? { strictGroups: true } : {}),
    addCapabilities: of.capabilities?.add ?? [],
    dropCapabilities: of.capabilities?.drop ?? [],
    readonlyRootfs: of.readOnlyRootFilesystem ?? false,
    noNewPrivileges: of.allowPrivilegeEscalation === false,
    seccomp: privileged ? { type: 'Unconfined' } : seccompOf(of.seccompProfile ?? ofPod.seccompProfile),
    ...(unmasked ? { maskedPaths: [], readonlyPaths: [] } : {}),
    pid: pidMode(pod, targetContainerId),
  }
}

function imageUser({ user }: Image): Pick<ContainerSecurity, 'runAsUser' | 'runAsUserName'> {
  if (user.uid !== undefined) return { runAsUser: user.uid }
  return user.username ? { runAsUserName: user.username } : {}
}

function checkNotRoot(pod: V1Pod, container: V1Container, { user }: Image, runAsUser: number | undefined): void {
  const about = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
  if (runAsUser === 0) throw configError(`container's runAsUser breaks non-root policy ${about}`)
  if (runAsUser !== undefined) return
  if (user.uid === undefined && user.username)
    throw configError(`container has runAsNonRoot and image has non-numeric user (${user.username}), cannot verify user is non-root ${about}`)
  if ((user.uid ?? 0) === 0) throw configError(`container has runAsNonRoot and image will run as root ${about}`)
}

function seccompOf(profile: V1SeccompProfile | undefined): ContainerSecurity['seccomp'] {
  if (profile?.type === 'RuntimeDefault') return { type: 'RuntimeDefault' }
  if (profile?.type === 'Localhost' && profile.localhostProfile) return { type: 'Localhost', path: profile.localhostProfile }
  return { type: 'Unconfined' }
}

function pidMode(pod: V1Pod, targetContainerId: string | undefined): NamespaceMode {
  if (targetContainerId) return { target: targetContainerId }
  if (pod.spec.hostPID) return 'node'
  return pod.spec.shareProcessNamespace ? 'pod' : 'container'
}
