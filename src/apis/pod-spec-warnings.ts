/** Warnings for what is accepted and will hardly do what was meant, in pods and templates of pods. */
import type { V1Container, V1PodSpec, V1PodTemplateSpec } from '../machinery/schema/generated/types.ts'
import { quantityOrNothing } from './resource-list.ts'

const movedLabels: Record<string, string> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
const seccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'

export function podWarnings(metadata: { annotations?: Record<string, string> } | undefined, spec: V1PodSpec, prefix = ''): string[] {
  const at = `${prefix}spec`
  const warnings: string[] = []
  for (const label in spec.nodeSelector) if (movedLabels[label]) warnings.push(`${at}.nodeSelector[${label}]: ${movedLabels[label]}`)
  if (metadata?.annotations?.[seccompAnnotation] !== undefined)
    warnings.push(`${prefix}metadata.annotations[${seccompAnnotation}]: non-functional in v1.27+; use the "seccompProfile" field instead`)
  const secrets = new Set<string>()
  spec.imagePullSecrets?.forEach(({ name = '' }, index) => {
    const here = `${at}.imagePullSecrets[${index}].name`
    if (name === '') warnings.push(`${here}: invalid empty name ""`)
    else if (secrets.has(name)) warnings.push(`${here}: duplicate name "${name}"`)
    secrets.add(name)
  })
  const hosts = new Set<string>()
  spec.hostAliases?.forEach(({ ip }, index) => {
    if (hosts.has(ip)) warnings.push(`${at}.hostAliases[${index}].ip: duplicate ip "${ip}"`)
    hosts.add(ip)
  })
  spec.volumes?.forEach((volume, index) => {
    if (volume.gitRepo) warnings.push(`${at}.volumes[${index}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`)
    if (volume.glusterfs) warnings.push(`${at}.volumes[${index}].glusterfs: deprecated in v1.25, non-functional in v1.26+`)
  })
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warnings.push(`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`)
  for (const list of ['initContainers', 'containers'] as const)
    spec[list]?.forEach((container, index) => {
      warnings.push(...containerWarnings(container, `${at}.${list}[${index}]`))
    })
  return warnings
}

export const templateWarnings = (template: V1PodTemplateSpec, prefix: string): string[] =>
  podWarnings(template.metadata, template.spec ?? { containers: [] }, `${prefix}.`)

function containerWarnings(container: V1Container, at: string): string[] {
  const warnings: string[] = []
  const variables = new Set<string>()
  container.env?.forEach(({ name }, index) => {
    if (variables.has(name)) warnings.push(`${at}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`)
    variables.add(name)
  })
  const ports = new Map<string, number>()
  container.ports?.forEach((port, index) => {
    const key = `${port.protocol}/${port.containerPort}/${port.hostPort ?? 0}/${port.hostIP ?? ''}`
    const first = ports.get(key)
    if (first !== undefined) warnings.push(`${at}.ports[${index}]: duplicate port definition with ${at}.ports[${first}]`)
    else ports.set(key, index)
  })
  for (const kind of ['limits', 'requests'] as const)
    for (const resource of ['memory', 'ephemeral-storage']) {
      const amount = container.resources?.[kind]?.[resource]
      if ((quantityOrNothing(amount)?.nanos ?? 0n) % 1_000_000_000n !== 0n)
        warnings.push(`${at}.resources.${kind}[${resource}]: fractional byte value "${amount}" is invalid, must be an integer`)
    }
  return warnings
}
