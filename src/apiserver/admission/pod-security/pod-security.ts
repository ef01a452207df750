/** Holds pods to the level that their namespace's labels name: refuses (`enforce`) or warns (`warn`). */
import type { V1PodSpec } from '../../../machinery/schema/generated/types.ts'
import type { AdmissionAttributes, AdmissionPlugin, ServerAccess } from '../../contracts.ts'
import { refused } from '../refuse.ts'
import { baseline, restricted } from './checks.ts'

const prefix = 'pod-security.kubernetes.io/'

/** Where the pod stands in objects that make pods. */
const templates: Record<string, (object: Record<string, unknown>) => unknown> = {
  pods: (pod) => pod.spec,
  ...Object.fromEntries(
    ['replicationcontrollers', 'deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch'].map((name) => [
      name,
      (object: Record<string, unknown>) => (object.spec as { template?: { spec?: unknown } } | undefined)?.template?.spec,
    ]),
  ),
  'cronjobs.batch': (object) => (object.spec as { jobTemplate?: { spec?: { template?: { spec?: unknown } } } } | undefined)?.jobTemplate?.spec?.template?.spec,
}

const nameOf = ({ resource }: AdmissionAttributes) => (resource.group ? `${resource.plural}.${resource.group}` : resource.plural)

function violations(level: string, spec: V1PodSpec): string[] {
  const checks = level === 'restricted' ? restricted : level === 'baseline' ? baseline : []
  return checks.flatMap((check) => check(spec) ?? [])
}

export const podSecurity = (server: ServerAccess): AdmissionPlugin => ({
  name: 'PodSecurity',
  handles: (attributes) =>
    (attributes.verb === 'create' || attributes.verb === 'update') &&
    nameOf(attributes) in templates &&
    (attributes.subresource === '' || attributes.subresource === 'ephemeralcontainers'),
  async validate(attributes) {
    const labels = (await server.cached('namespaces')).get('', attributes.namespace)?.metadata.labels ?? {}
    const spec = templates[nameOf(attributes)]?.({ ...attributes.object }) as V1PodSpec | undefined
    if (!spec?.containers) return
    for (const mode of ['enforce', 'warn'] as const) {
      const level = labels[`${prefix}${mode}`]
      // What makes pods is warned about; the pods themselves are refused.
      if (!level || (mode === 'enforce' && attributes.resource.plural !== 'pods')) continue
      const found = violations(level, spec)
      if (found.length === 0) continue
      const text = `violate${mode === 'enforce' ? 's' : ''} PodSecurity "${level}:${labels[`${prefix}${mode}-version`] ?? 'latest'}": ${found.join(', ')}`
      if (mode === 'enforce') throw refused(attributes, text)
      attributes.warn(`would ${text}`)
    }
  },
})
