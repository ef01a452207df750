/**
 * What the kubelet writes on sandboxes and containers, and by which it finds them again after a restart.
 * Names as upstream's, so that tools which read a runtime's lists know them.
 */
import { createHash } from 'node:crypto'
import type { V1Container, V1Pod } from '../../machinery/schema/generated/types.ts'

export const podNameLabel = 'io.kubernetes.pod.name'
export const podNamespaceLabel = 'io.kubernetes.pod.namespace'
export const podUidLabel = 'io.kubernetes.pod.uid'
export const containerNameLabel = 'io.kubernetes.container.name'
export const hashAnnotation = 'io.kubernetes.container.hash'
export const restartCountAnnotation = 'io.kubernetes.container.restartCount'
export const messagePathAnnotation = 'io.kubernetes.container.terminationMessagePath'
export const messagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy'
export const gracePeriodAnnotation = 'io.kubernetes.pod.terminationGracePeriod'

export function podLabels(pod: V1Pod): Record<string, string> {
  return {
    ...pod.metadata.labels,
    [podNameLabel]: pod.metadata.name,
    [podNamespaceLabel]: pod.metadata.namespace,
    [podUidLabel]: pod.metadata.uid,
  }
}

export function containerLabels(pod: V1Pod, container: V1Container): Record<string, string> {
  return {
    [podNameLabel]: pod.metadata.name,
    [podNamespaceLabel]: pod.metadata.namespace,
    [podUidLabel]: pod.metadata.uid,
    [containerNameLabel]: container.name,
  }
}

/** What a kubelet that starts anew must know of a container, kept with it by the runtime. */
export function containerAnnotations(pod: V1Pod, container: V1Container, attempt: number): Record<string, string> {
  return {
    [hashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(attempt),
    [messagePathAnnotation]: container.terminationMessagePath ?? '/dev/termination-log',
    [messagePolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    [gracePeriodAnnotation]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
  }
}

/** Of what makes a running container another one when it changes: upstream hashes name and image alone. */
export function containerHash(container: V1Container): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image ?? '']))
    .digest('hex')
    .slice(0, 8)
}

/** Under which its restarts are counted: another image begins anew. */
export const backoffKey = (pod: V1Pod, container: V1Container): string => `${pod.metadata.uid}_${container.name}_${containerHash(container)}`

export const describePod = (pod: V1Pod): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`

export const isSidecar = (container: V1Container): boolean => container.restartPolicy === 'Always'

/** All containers of the pod with the field they stand in, which events name. */
export function allContainers(pod: V1Pod): { container: V1Container; fieldPath: string; kind: 'init' | 'app' | 'ephemeral' }[] {
  return [
    ...(pod.spec.initContainers ?? []).map((container) => ({ container, fieldPath: `spec.initContainers{${container.name}}`, kind: 'init' as const })),
    ...pod.spec.containers.map((container) => ({ container, fieldPath: `spec.containers{${container.name}}`, kind: 'app' as const })),
    ...(pod.spec.ephemeralContainers ?? []).map((container) => ({
      container,
      fieldPath: `spec.ephemeralContainers{${container.name}}`,
      kind: 'ephemeral' as const,
    })),
  ]
}
