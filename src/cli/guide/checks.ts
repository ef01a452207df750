/** What the statements of the guide have in common: reading objects, and asking from inside a pod. */
import { Deployment, Endpoints, Event, PersistentVolumeClaim, Pod, ReplicaSet, Service } from '../../client/resources.ts'
import type { V1Pod, V1ReplicaSet } from '../../machinery/schema/generated/types.ts'
import type { GuideCluster } from './guide-cluster.ts'

export const namespace = 'flask-postgres-app'
export const host = 'app.example.com'

/** Throws what was seen instead, when something does not hold (yet). */
export function expect(holds: boolean, seen: string): asserts holds {
  if (!holds) throw new Error(seen)
}

export async function storedKey(cluster: GuideCluster, key: string): Promise<string> {
  const value = cluster.stored(key)
  expect(value !== undefined, `${key} is not in the store`)
  return `${key}, ${value.byteLength} bytes`
}

export async function replicaSetOf(cluster: GuideCluster, deployment: string): Promise<V1ReplicaSet> {
  const { metadata } = await cluster.client.get(Deployment, { name: deployment, namespace })
  const { items } = await cluster.client.list(ReplicaSet, { namespace })
  const owned = items.filter((one) => one.metadata.ownerReferences?.some((owner) => owner.uid === metadata.uid && owner.controller))
  expect(owned.length > 0, `no ReplicaSet of ${deployment}`)
  const [newest] = owned.sort((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp))
  return newest as V1ReplicaSet
}

export async function podsOf(cluster: GuideCluster, deployment: string): Promise<V1Pod[]> {
  const replicaSet = await replicaSetOf(cluster, deployment)
  const { items } = await cluster.client.list(Pod, { namespace })
  return items.filter((pod) => !pod.metadata.deletionTimestamp && pod.metadata.ownerReferences?.some((owner) => owner.uid === replicaSet.metadata.uid))
}

export const isRunning = (pod: V1Pod) => pod.status?.phase === 'Running'
export const isReady = (pod: V1Pod) => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

export async function readyPods(cluster: GuideCluster, deployment: string, count: number): Promise<V1Pod[]> {
  const pods = await podsOf(cluster, deployment)
  const ready = pods.filter(isReady)
  expect(ready.length === count, `${ready.length} of ${count} Pods of ${deployment} are ready (${pods.map(stateOf).join('; ')})`)
  return ready
}

/** A pod's state in a few words, for messages. */
export function stateOf(pod: V1Pod): string {
  const waiting = pod.status?.containerStatuses?.find((status) => status.state?.waiting)?.state?.waiting
  const why = waiting ? ` ${waiting.reason}: ${waiting.message ?? ''}` : ''
  const unscheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False')
  return `${pod.metadata.name} ${pod.status?.phase ?? 'unknown'}${why}${unscheduled ? ` ${unscheduled.message}` : ''}`
}

/** Events about an object, by their reason. */
export async function hasEvent(cluster: GuideCluster, kind: string, name: string, reason: string): Promise<string> {
  const { items } = await cluster.client.list(Event, { namespace })
  const found = items.find((event) => event.involvedObject.kind === kind && event.involvedObject.name === name && event.reason === reason)
  expect(found !== undefined, `no event ${reason} about ${kind} ${name}`)
  return found.message ?? reason
}

export async function scheduled(cluster: GuideCluster, deployment: string, count: number): Promise<string> {
  const pods = await podsOf(cluster, deployment)
  expect(
    pods.length === count && pods.every((pod) => pod.spec.nodeName),
    `${pods.filter((pod) => pod.spec.nodeName).length} of ${count} have a node (${pods.map(stateOf).join('; ')})`,
  )
  for (const pod of pods) await hasEvent(cluster, 'Pod', pod.metadata.name, 'Scheduled')
  return pods.map((pod) => `${pod.metadata.name} on ${pod.spec.nodeName}`).join(', ')
}

export async function claimIsBound(cluster: GuideCluster, name: string): Promise<string> {
  const claim = await cluster.client.get(PersistentVolumeClaim, { name, namespace })
  expect(claim.status?.phase === 'Bound', `${name} is ${claim.status?.phase}`)
  return `${name} is bound to ${claim.spec.volumeName}, of class ${claim.spec.storageClassName}`
}

export async function clusterIp(cluster: GuideCluster, name: string): Promise<string> {
  const { spec } = await cluster.client.get(Service, { name, namespace })
  expect(Boolean(spec.clusterIP) && spec.clusterIP !== 'None', `${name} has no address`)
  return spec.clusterIP ?? ''
}

export async function endpointCount(cluster: GuideCluster, name: string): Promise<number> {
  const endpoints = await cluster.client.find(Endpoints, { name, namespace })
  return (endpoints?.subsets ?? []).reduce((sum, subset) => sum + (subset.addresses?.length ?? 0), 0)
}

/** Runs a Python program in a Flask pod, where the application itself runs. */
export async function inFlask(cluster: GuideCluster, program: string): Promise<string> {
  const [pod] = (await podsOf(cluster, 'flask-deployment')).filter(isRunning)
  expect(pod !== undefined, 'no Flask Pod is running')
  return cluster.answer(['exec', '-n', namespace, pod.metadata.name, '-c', 'flask', '--', 'python3', '-c', program])
}

/** Runs SQL as the application's own user, in the PostgreSQL pod. */
export async function sql(cluster: GuideCluster, statement: string): Promise<string> {
  const [pod] = (await podsOf(cluster, 'postgres-deployment')).filter(isRunning)
  expect(pod !== undefined, 'no PostgreSQL Pod is running')
  const command = `PGPASSWORD="$POSTGRES_PASSWORD" exec psql -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -At -c "${statement}"`
  return cluster.answer(['exec', '-n', namespace, pod.metadata.name, '--', 'sh', '-c', command])
}
