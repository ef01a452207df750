/** `/metrics/resources`: what each pod asks for and may use at most, as the scheduler counts it (KEP-1748). */
import { podRequests, type Resources } from '../apis/core/pod-requests.ts'
import { Exposition } from '../machinery/metrics/exposition.ts'
import type { V1Container, V1Pod } from '../machinery/schema/generated/types.ts'

const bytes = /^(memory|storage|ephemeral-storage|hugepages-.*|attachable-volumes-.*)$/

export function podResourceMetrics(pods: Iterable<V1Pod>): string {
  const living = [...pods].filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed')
  const page = new Exposition()
  const family = (name: string, help: string, of: (pod: V1Pod) => Resources) => {
    const samples = living.flatMap((pod) => [...of(pod)].filter(([, amount]) => amount > 0).map(([resource, amount]) => ({ pod, resource, amount })))
    if (samples.length === 0) return
    const sample = page.family(name, 'gauge', `[STABLE] ${help}`)
    for (const { pod, resource, amount } of samples) sample(labelsOf(pod, resource), resource === 'cpu' ? amount / 1000 : amount)
  }
  family('kube_pod_resource_limit', 'Limit of a pod on a resource.', podLimits)
  family('kube_pod_resource_request', 'What a pod asks for of a resource.', podRequests)
  return page.toString()
}

const labelsOf = ({ metadata, spec }: V1Pod, resource: string) => ({
  namespace: metadata.namespace,
  pod: metadata.name,
  node: spec.nodeName ?? '',
  scheduler: spec.schedulerName ?? '',
  priority: spec.priority === undefined ? '' : String(spec.priority),
  resource,
  unit: resource === 'cpu' ? 'cores' : bytes.test(resource) ? 'bytes' : 'integer',
})

/** Counted as requests are; overhead only adds to what is limited. */
function podLimits(pod: V1Pod): Resources {
  const asRequests = (container: V1Container): V1Container => ({ ...container, resources: { requests: container.resources?.limits ?? {} } })
  const { overhead, ...spec } = pod.spec
  const limits = podRequests({
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(asRequests),
      initContainers: (spec.initContainers ?? []).map(asRequests),
      resources: { requests: spec.resources?.limits ?? {} },
    },
  })
  const more = podRequests({ ...pod, spec: { containers: [], ...(overhead ? { overhead } : {}) } })
  for (const [resource, amount] of limits) limits.set(resource, amount + (more.get(resource) ?? 0))
  return limits
}
