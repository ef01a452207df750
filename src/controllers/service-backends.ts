/** Which pods stand behind a Service, by which ports, as its endpoints tell it. */
import type { Read } from '../client/controller.ts'
import { Pod, Service } from '../client/resources.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Pod, V1Service, V1ServicePort } from '../machinery/schema/generated/types.ts'
import { equalityMatches } from './label-match.ts'
import { isFinished } from './pod-state.ts'

/** Its endpoints are ours to keep: without a selector they are the user's. */
export const hasSelector = (service: V1Service): boolean =>
  service.spec.type !== 'ExternalName' && service.spec.selector !== undefined && Object.keys(service.spec.selector).length > 0

export const isHeadless = (service: V1Service): boolean => service.spec.clusterIP === 'None'

/** Pods that the Service selects, that have an address and have not finished. Those that are ending are among them. */
export function backends(service: V1Service, { informer }: Read): V1Pod[] {
  const selector = service.spec.selector ?? {}
  return informer(Pod)
    .inNamespace(service.metadata.namespace)
    .filter((pod) => equalityMatches(selector, pod.metadata.labels) && pod.status?.podIP && !isFinished(pod))
}

/** Services that select the pod, or did so before. */
export function servicesOf(pod: V1Pod, previous: V1Pod | undefined, { informer }: Read): string[] {
  if (previous && !mattersToEndpoints(previous, pod)) return []
  const selects = (service: V1Service) =>
    hasSelector(service) && [pod, previous].some((one) => one && equalityMatches(service.spec.selector ?? {}, one.metadata.labels))
  return informer(Service).inNamespace(pod.metadata.namespace).filter(selects).map(keyOf)
}

/** Most changes of a pod's status are none of an endpoint's. */
function mattersToEndpoints(before: V1Pod, after: V1Pod): boolean {
  const facts = ({ metadata, spec, status }: V1Pod) => [
    metadata.uid,
    metadata.labels,
    metadata.deletionTimestamp,
    spec.nodeName,
    spec.hostname,
    status?.phase,
    status?.podIPs,
    status?.podIP,
    status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ]
  return JSON.stringify(facts(before)) !== JSON.stringify(facts(after))
}

/** Where the Service's port leads in this pod; undefined where the pod has no port of that name. */
export function targetPort(port: V1ServicePort, pod: V1Pod): number | undefined {
  const target = port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '' ? port.port : port.targetPort
  if (typeof target === 'number') return target
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  for (const { ports } of [...pod.spec.containers, ...sidecars]) {
    const named = ports?.find(({ name, protocol }) => name === target && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'))
    if (named) return named.containerPort
  }
  return undefined
}

/** The pod has a name of its own in the Service's domain. */
export function hostnameIn(service: V1Service, pod: V1Pod): string | undefined {
  return pod.spec.hostname && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined
}
