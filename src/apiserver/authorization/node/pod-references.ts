/** What a pod refers to, and so what the kubelet that runs it has to read. */
import type { AnyObject } from '../../../machinery/object.ts'
import type { V1Container, V1Pod, V1Volume } from '../../../machinery/schema/generated/types.ts'

/** `secrets NAMESPACE/NAME`; the namespace is empty for what has none. */
export type Reference = string
export const reference = (resource: string, namespace: string, name: string): Reference => `${resource} ${namespace}/${name}`

type Names = { secrets: Set<string>; configmaps: Set<string>; persistentvolumeclaims: Set<string>; serviceaccounts: Set<string>; resourceclaims: Set<string> }

/** The names of Secrets in a volume source, whichever kind it is; not those that only controllers of its driver use. */
export function secretsOfSource(source: unknown): { name: string; namespace?: string }[] {
  if (typeof source !== 'object' || source === null) return []
  const fields = source as Record<string, unknown>
  const found = Object.entries(fields).flatMap(([field, value]) => {
    if (!/^(secretRef|node\w+SecretRef)$/.test(field) || typeof value !== 'object' || value === null) return []
    const { name, namespace } = value as { name?: string; namespace?: string }
    return name ? [{ name, ...(namespace ? { namespace } : {}) }] : []
  })
  const { secretName, secretNamespace } = fields
  if (typeof secretName === 'string')
    found.push({ name: secretName, ...(typeof secretNamespace === 'string' && secretNamespace ? { namespace: secretNamespace } : {}) })
  return found
}

function addVolume(pod: V1Pod, volume: V1Volume, names: Names): void {
  if (volume.persistentVolumeClaim) names.persistentvolumeclaims.add(volume.persistentVolumeClaim.claimName)
  if (volume.ephemeral) names.persistentvolumeclaims.add(`${pod.metadata.name}-${volume.name}`)
  if (volume.configMap?.name) names.configmaps.add(volume.configMap.name)
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    if (secret?.name) names.secrets.add(secret.name)
    if (configMap?.name) names.configmaps.add(configMap.name)
  }
  for (const [kind, source] of Object.entries(volume)) if (kind !== 'name') for (const { name } of secretsOfSource(source)) names.secrets.add(name)
}

function addEnvironment(container: V1Container, names: Names): void {
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.secretKeyRef?.name) names.secrets.add(valueFrom.secretKeyRef.name)
    if (valueFrom?.configMapKeyRef?.name) names.configmaps.add(valueFrom.configMapKeyRef.name)
  }
  for (const { secretRef, configMapRef } of container.envFrom ?? []) {
    if (secretRef?.name) names.secrets.add(secretRef.name)
    if (configMapRef?.name) names.configmaps.add(configMapRef.name)
  }
}

/** A mirror pod refers to nothing: a kubelet makes it by itself, and must not give itself rights by it. */
export const isMirrorPod = (pod: AnyObject): boolean => pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

export function podReferences(pod: V1Pod): Reference[] {
  const names: Names = { secrets: new Set(), configmaps: new Set(), persistentvolumeclaims: new Set(), serviceaccounts: new Set(), resourceclaims: new Set() }
  const { spec } = pod
  names.serviceaccounts.add(spec.serviceAccountName || 'default')
  for (const { name } of spec.imagePullSecrets ?? []) if (name) names.secrets.add(name)
  for (const container of [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as V1Container[])])
    addEnvironment(container, names)
  for (const volume of spec.volumes ?? []) addVolume(pod, volume, names)
  for (const { resourceClaimName } of spec.resourceClaims ?? []) if (resourceClaimName) names.resourceclaims.add(resourceClaimName)
  for (const { resourceClaimName } of pod.status?.resourceClaimStatuses ?? []) if (resourceClaimName) names.resourceclaims.add(resourceClaimName)
  const namespace = pod.metadata.namespace ?? ''
  return Object.entries(names).flatMap(([resource, found]) => [...found].map((name) => reference(resource, namespace, name)))
}
