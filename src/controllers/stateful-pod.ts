/** The pod of one ordinal of a StatefulSet: its name, its claims, its place in the domain. */
import { StatefulSet } from '../client/resources.ts'
import type { New } from '../machinery/object.ts'
import type { V1PersistentVolumeClaim, V1Pod, V1PodTemplateSpec, V1StatefulSet, V1Volume } from '../machinery/schema/generated/types.ts'
import { podFrom } from './pod-control.ts'

export const revisionLabel = 'controller-revision-hash'

/** -1 for a name that is none of the set's. */
export function ordinalOf(set: V1StatefulSet, podName: string): number {
  const [, ordinal] = new RegExp(`^${set.metadata.name.replaceAll('.', '\\.')}-(\\d+)$`).exec(podName) ?? []
  return ordinal === undefined ? -1 : Number(ordinal)
}

export function statefulPod(set: V1StatefulSet, template: V1PodTemplateSpec, revision: string, ordinal: number): New<V1Pod> {
  const pod = podFrom(template, { resource: StatefulSet, object: set })
  const { generateName: _, ...metadata } = pod.metadata
  const name = `${set.metadata.name}-${ordinal}`
  const labels = { ...metadata.labels, [revisionLabel]: revision, 'statefulset.kubernetes.io/pod-name': name, 'apps.kubernetes.io/pod-index': String(ordinal) }
  const claims = (set.spec.volumeClaimTemplates ?? []).map(
    (claim): V1Volume => ({
      name: claim.metadata.name,
      persistentVolumeClaim: { claimName: claimName(set, claim.metadata.name, ordinal) },
    }),
  )
  const others = (pod.spec.volumes ?? []).filter((volume) => !claims.some(({ name: taken }) => taken === volume.name))
  const subdomain = set.spec.serviceName
  const volumes = claims.length + others.length > 0 ? { volumes: [...others, ...claims] } : {}
  return { metadata: { ...metadata, name, labels }, spec: { ...pod.spec, hostname: name, ...(subdomain ? { subdomain } : {}), ...volumes } }
}

const claimName = (set: V1StatefulSet, template: string, ordinal: number): string => `${template}-${set.metadata.name}-${ordinal}`

/** The claims of that ordinal. They outlive the pod, and are found again by the next of its name. */
export function statefulClaims(set: V1StatefulSet, ordinal: number): New<V1PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    metadata: {
      name: claimName(set, metadata.name, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
      ...(metadata.annotations ? { annotations: metadata.annotations } : {}),
    },
    spec,
  }))
}
