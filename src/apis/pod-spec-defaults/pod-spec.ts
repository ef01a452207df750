import type { V1PodSpec, V1PodTemplateSpec } from '../../machinery/schema/generated/types.ts'
import { canonicalAmounts, requestsFromLimits } from '../resource-list.ts'
import { containerDefaults } from './containers.ts'
import { volumeDefaults } from './volumes.ts'

/** What pods and templates of pods have in common. */
export function podSpecDefaults(spec: V1PodSpec): void {
  // Left out by a client: what is read before validation refuses it finds an empty list.
  spec.containers ??= []
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.schedulerName ||= 'default-scheduler'
  spec.terminationGracePeriodSeconds ??= 30
  spec.securityContext ??= {}
  // The old name of the field goes along with the new one.
  if (spec.serviceAccountName || spec.serviceAccount) {
    spec.serviceAccountName ||= spec.serviceAccount
    spec.serviceAccount = spec.serviceAccountName
  }
  canonicalAmounts(spec.overhead)
  canonicalAmounts(spec.resources?.requests)
  canonicalAmounts(spec.resources?.limits)
  const hostNetwork = spec.hostNetwork === true
  for (const container of spec.containers) containerDefaults(container, { hostNetwork })
  for (const container of spec.initContainers ?? []) containerDefaults(container, { hostNetwork })
  for (const container of spec.ephemeralContainers ?? []) containerDefaults(container, { hostNetwork: false })
  for (const volume of spec.volumes ?? []) volumeDefaults(volume)
}

/** What only pods have, not templates. */
export function podDefaults(spec: V1PodSpec): void {
  podSpecDefaults(spec)
  spec.enableServiceLinks ??= true
  for (const container of spec.containers) requestsFromLimits(container.resources)
  for (const container of spec.initContainers ?? []) requestsFromLimits(container.resources)
  requestsFromLimits(spec.resources)
}

/** A template that a client left out becomes an empty one, for validation to say what it lacks. */
export function podTemplateDefaults(parent: { template?: V1PodTemplateSpec }): void {
  parent.template ??= {}
  parent.template.metadata ??= {}
  parent.template.spec ??= { containers: [] }
  podSpecDefaults(parent.template.spec)
}
