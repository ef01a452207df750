import type { Informer } from '../../client/informer.ts'
import type { V1PersistentVolumeClaim } from '../../machinery/schema/generated/types.ts'
import type { Plugin } from '../framework.ts'

const claimsOf = (pod: { spec: { volumes?: { persistentVolumeClaim?: { claimName: string } }[] } }) =>
  (pod.spec.volumes ?? []).flatMap((volume) => (volume.persistentVolumeClaim ? [volume.persistentVolumeClaim.claimName] : []))

/** A claim with access mode ReadWriteOncePod serves one pod. */
export function volumeRestrictions(claims: Informer<V1PersistentVolumeClaim>): Plugin {
  return {
    name: 'VolumeRestrictions',
    wakenBy: ['pod-deleted', 'pvc'],
    preFilter(pod, cluster) {
      const exclusive = claimsOf(pod.pod).filter((name) => claims.get(`${pod.namespace}/${name}`)?.spec.accessModes?.includes('ReadWriteOncePod'))
      if (exclusive.length === 0) return 'skip'
      for (const node of cluster.nodes()) {
        for (const other of node.pods.values()) {
          if (other.namespace === pod.namespace && other.key !== pod.key && claimsOf(other.pod).some((name) => exclusive.includes(name)))
            return { reason: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode' }
        }
      }
      return undefined
    },
  }
}
