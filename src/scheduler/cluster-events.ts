/** Turns changes that the informers tell into the cache's state and into events that wake waiting pods. */
import type { InformerFactory } from '../client/informer.ts'
import { Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../client/resources.ts'
import type { V1Node, V1Pod } from '../machinery/schema/generated/types.ts'
import type { SchedulerCache } from './cache.ts'
import type { ClusterEvent } from './framework.ts'
import type { Nominations } from './nominations.ts'
import { podInfo } from './pod-info.ts'
import type { SchedulingQueue } from './scheduling-queue.ts'

const ended = (pod: V1Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
const differs = (a: unknown, b: unknown) => a !== b && JSON.stringify(a) !== JSON.stringify(b)

function nodeEvents(node: V1Node, previous: V1Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (differs(node.status?.allocatable, previous.status?.allocatable)) events.push('node-allocatable')
  if (differs(node.metadata.labels, previous.metadata.labels)) events.push('node-labels')
  if (differs(node.spec.taints, previous.spec.taints) || node.spec.unschedulable !== previous.spec.unschedulable) events.push('node-taints')
  const conditions = (one: V1Node) => one.status?.conditions?.map(({ type, status }) => [type, status])
  if (differs(conditions(node), conditions(previous))) events.push('node-condition')
  return events
}

/** Returns what ends it. */
export function followCluster(
  informers: InformerFactory,
  { cache, queue, nominations }: { cache: SchedulerCache; queue: SchedulingQueue; nominations: Nominations },
  isMine: (pod: V1Pod) => boolean,
): () => void {
  const wake = (revision: number, ...events: ClusterEvent[]) => {
    for (const event of events) queue.wake(event, revision)
  }
  const stops = [
    informers.informer(Node).onChange(({ type, object, previous, revision }) => {
      if (type === 'deleted') return cache.removeNode(object.metadata.name)
      cache.setNode(object)
      if (type === 'added' || !previous) wake(revision, 'node-added')
      else wake(revision, ...nodeEvents(object, previous))
    }),
    informers.informer(Pod).onChange(({ type, object, previous, revision }) => {
      const key = `${object.metadata.namespace}/${object.metadata.name}`
      if (type === 'deleted') {
        queue.remove(key)
        nominations.remove(key)
        if (object.spec.nodeName) {
          cache.removePod(key)
          wake(revision, 'pod-deleted')
        }
        return
      }
      // A pod of the same name that is another: the old one is gone.
      if (previous && previous.metadata.uid !== object.metadata.uid) {
        cache.removePod(key)
        queue.remove(key)
      }
      const nominated = object.spec.nodeName ? undefined : object.status?.nominatedNodeName
      if (nominated && !cache.isAssumed(key)) nominations.set(podInfo(object), nominated)
      else if (object.spec.nodeName || previous?.status?.nominatedNodeName) nominations.remove(key)
      if (object.spec.nodeName) {
        queue.remove(key)
        const wasAssigned = previous?.spec.nodeName !== undefined && previous.metadata.uid === object.metadata.uid
        cache.setPod(object)
        if (ended(object) && !(previous && ended(previous))) wake(revision, 'pod-deleted')
        else if (!wasAssigned) wake(revision, 'pod-assigned')
        else if (differs(object.metadata.labels, previous?.metadata.labels)) wake(revision, 'pod-updated')
      } else if (ended(object) || object.metadata.deletionTimestamp) queue.remove(key)
      else if (isMine(object) && !cache.isAssumed(key)) queue.add(object, revision)
    }),
    informers.informer(Namespace).onChange(({ type, object, previous, revision }) => {
      cache.setNamespace(object.metadata.name, type === 'deleted' ? undefined : (object.metadata.labels ?? {}))
      if (differs(object.metadata.labels, previous?.metadata.labels)) wake(revision, 'namespace-labels')
    }),
    informers.informer(PersistentVolumeClaim).onChange(({ revision }) => wake(revision, 'pvc')),
    informers.informer(PersistentVolume).onChange(({ revision }) => wake(revision, 'pv')),
    informers.informer(StorageClass).onChange(({ revision }) => wake(revision, 'storage-class')),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
