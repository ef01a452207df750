/** Validation of a pod's spec, shared by pods and by every template of pods. */
import { duplicate, type FieldError, invalidValue, notSupported, required } from '../../machinery/field-error.ts'
import { isDnsLabel, isDnsSubdomain } from '../../machinery/names.ts'
import type { V1PodSpec } from '../../machinery/schema/generated/types.ts'
import { validateLabels, validateQualifiedName } from '../label-validation.ts'
import { validateAffinity } from './affinity.ts'
import { type PodScope, validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validateDns } from './dns.ts'
import { validateHostPorts } from './ports.ts'
import { validateResources } from './resources.ts'
import { validatePodSecurityContext } from './security-context.ts'
import { validateTolerations } from './tolerations.ts'
import { validateTopologySpread } from './topology-spread.ts'
import { validateVolumes } from './volumes.ts'

const restartPolicies = ['Always', 'Never', 'OnFailure']
const preemptionPolicies = ['Never', 'PreemptLowerPriority']
const maxSeconds = 2147483647

export function validatePodSpec(spec: V1PodSpec, at: string): FieldError[] {
  const volumes = validateVolumes(spec.volumes, `${at}.volumes`)
  const errors = volumes.errors
  const scope: PodScope = { volumes: volumes.byName, gracePeriod: spec.terminationGracePeriodSeconds, names: new Set() }
  const containers = spec.containers ?? []
  if (containers.length === 0) errors.push(required(`${at}.containers`))
  errors.push(
    ...validateContainers(containers, scope, `${at}.containers`),
    ...validateHostPorts(containers, spec.hostNetwork === true, `${at}.containers`),
    ...validateInitContainers(spec.initContainers ?? [], scope, `${at}.initContainers`),
    ...validateEphemeralContainers(spec, scope, `${at}.ephemeralContainers`),
    ...validateResources(spec.resources, `${at}.resources`),
    ...oneOf(spec.restartPolicy, restartPolicies, `${at}.restartPolicy`),
    ...validateDns(spec, at),
    ...validateLabels(spec.nodeSelector, `${at}.nodeSelector`),
    ...validatePodSecurityContext(spec.securityContext, spec, `${at}.securityContext`),
    ...validateAffinity(spec.affinity, `${at}.affinity`),
    ...validateTolerations(spec.tolerations, `${at}.tolerations`),
    ...validateTopologySpread(spec.topologySpreadConstraints, `${at}.topologySpreadConstraints`),
  )
  spec.imagePullSecrets?.forEach((secret, index) => {
    if (!secret.name) errors.push(required(`${at}.imagePullSecrets[${index}].name`))
  })
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName'] as const) {
    const name = spec[field]
    if (name) for (const message of isDnsSubdomain(name)) errors.push(invalidValue(`${at}.${field}`, name, message))
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const name = spec[field]
    if (name) for (const message of isDnsLabel(name)) errors.push(invalidValue(`${at}.${field}`, name, message))
  }
  const deadline = spec.activeDeadlineSeconds
  if (deadline !== undefined && (deadline < 1 || deadline > maxSeconds))
    errors.push(invalidValue(`${at}.activeDeadlineSeconds`, deadline, `must be between 1 and ${maxSeconds}, inclusive`))
  if (spec.preemptionPolicy !== undefined) errors.push(...oneOf(spec.preemptionPolicy, preemptionPolicies, `${at}.preemptionPolicy`))
  if (spec.os) errors.push(...oneOf(spec.os.name, ['linux', 'windows'], `${at}.os.name`))
  spec.readinessGates?.forEach((gate, index) => {
    errors.push(...validateQualifiedName(gate.conditionType, `${at}.readinessGates[${index}].conditionType`))
  })
  const gates = new Set<string>()
  spec.schedulingGates?.forEach((gate, index) => {
    errors.push(...validateQualifiedName(gate.name, `${at}.schedulingGates[${index}]`))
    if (gates.has(gate.name)) errors.push(duplicate(`${at}.schedulingGates[${index}]`, gate.name))
    gates.add(gate.name)
  })
  return errors
}

function oneOf(value: string | undefined, supported: readonly string[], at: string): FieldError[] {
  if (!value) return [required(at)]
  return supported.includes(value) ? [] : [notSupported(at, value, supported)]
}
