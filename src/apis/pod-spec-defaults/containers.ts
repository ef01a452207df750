import type { V1Container, V1EphemeralContainer } from '../../machinery/schema/generated/types.ts'
import { canonicalAmounts } from '../resource-list.ts'
import { defaultPullPolicy } from './image-pull-policy.ts'
import { lifecycleDefaults, probeDefaults } from './probes.ts'

export function containerDefaults(container: V1Container | V1EphemeralContainer, { hostNetwork }: { hostNetwork: boolean }): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  canonicalAmounts(container.resources.requests)
  canonicalAmounts(container.resources.limits)
  for (const port of container.ports ?? []) {
    port.protocol ||= 'TCP'
    if (hostNetwork) port.hostPort ||= port.containerPort
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= '0'
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false
  }
  probeDefaults(container.livenessProbe)
  probeDefaults(container.readinessProbe)
  probeDefaults(container.startupProbe)
  lifecycleDefaults(container.lifecycle)
}
