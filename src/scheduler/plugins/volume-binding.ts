import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { PersistentVolume, PersistentVolumeClaim } from '../../client/resources.ts'
import { isApiError } from '../../machinery/errors.ts'
import { compareQuantities } from '../../machinery/quantity.ts'
import type { V1PersistentVolume, V1PersistentVolumeClaim, V1StorageClass } from '../../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../../machinery/selectors.ts'
import type { Plugin, Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import { FreeVolumes, reachable } from './free-volumes.ts'

export interface VolumeBindingSources {
  client: Client
  claims: Informer<V1PersistentVolumeClaim>
  volumes: Informer<V1PersistentVolume>
  classes: Informer<V1StorageClass>
}

/** Annotation that tells the provisioner for which node a claim's volume is wanted. */
const selectedNode = 'volume.kubernetes.io/selected-node'
const noProvisioner = 'kubernetes.io/no-provisioner'
const name = 'VolumeBinding'

interface State {
  bound: V1PersistentVolume[]
  /** Claims that wait for their first consumer: this pod; each with what it could have. */
  delayed: { claim: V1PersistentVolumeClaim; free: FreeVolumes }[]
  /** What a node would get, decided in filter, by node. */
  decisions: Map<string, Decision[]>
}

interface Decision {
  claim: V1PersistentVolumeClaim
  /** The volume to bind; undefined: one is to be provisioned. */
  volume: V1PersistentVolume | undefined
}

const keyOfClaim = (claim: V1PersistentVolumeClaim) => `${claim.metadata.namespace}/${claim.metadata.name}`

const isBound = (claim: V1PersistentVolumeClaim) =>
  Boolean(claim.spec.volumeName) && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined

/**
 * Volumes decide where a pod may run: a bound one must be reachable from the node; a claim that waits for its first
 * consumer gets the smallest fitting volume of the node, or one is provisioned for it before the pod is bound.
 */
export function volumeBinding(sources: VolumeBindingSources): Plugin {
  const { client, claims, volumes, classes } = sources
  /** Volumes promised to claims, until the informer shows them bound. */
  const promised = new Map<string, string>()

  function freeFor(claim: V1PersistentVolumeClaim): FreeVolumes {
    const wanted = claim.spec.resources?.requests?.storage ?? '0'
    const free = volumes.list().filter((volume) => {
      // The most common reason comes first: there may be thousands.
      const holder = volume.spec.claimRef
      const isFree =
        !holder || (holder.name === claim.metadata.name && holder.namespace === claim.metadata.namespace && (!holder.uid || holder.uid === claim.metadata.uid))
      if (!isFree) return false
      const promise = promised.get(volume.metadata.name)
      return (
        (promise === undefined || promise === keyOfClaim(claim)) &&
        !volume.metadata.deletionTimestamp &&
        (volume.status?.phase === 'Available' || holder !== undefined) &&
        (volume.spec.storageClassName ?? '') === (claim.spec.storageClassName ?? '') &&
        (volume.spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem') &&
        (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode)) &&
        (!claim.spec.selector || matchesLabelSelector(claim.spec.selector, volume.metadata.labels ?? {})) &&
        compareQuantities(volume.spec.capacity?.storage ?? '0', wanted) >= 0
      )
    })
    return new FreeVolumes(free)
  }

  function decide(state: State, node: NodeInfo): Decision[] | Rejection {
    const decisions: Decision[] = []
    const taken = new Set<string>()
    for (const { claim, free } of state.delayed) {
      const volume = free.bestFor(node, taken)
      if (!volume) {
        const storageClass = classes.get(claim.spec.storageClassName ?? '')
        if (!storageClass || storageClass.provisioner === noProvisioner) return { reason: "node(s) didn't find available persistent volumes to bind" }
        const topologies = storageClass.allowedTopologies ?? []
        const allowed =
          topologies.length === 0 ||
          topologies.some((term) => (term.matchLabelExpressions ?? []).every((one) => one.values.includes(node.labels[one.key] ?? '')))
        if (!allowed) return { reason: "node(s) didn't find available persistent volumes to bind" }
      } else taken.add(volume.metadata.name)
      decisions.push({ claim, volume })
    }
    return decisions
  }

  return {
    name,
    wakenBy: ['pvc', 'pv', 'storage-class', 'node-added', 'node-labels'],
    preFilter(pod, _cluster, cycle) {
      const wanted = (pod.pod.spec.volumes ?? []).flatMap((volume) => {
        if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName]
        return volume.ephemeral ? [`${pod.pod.metadata.name}-${volume.name}`] : []
      })
      if (wanted.length === 0) return 'skip'
      const state: State = { bound: [], delayed: [], decisions: new Map() }
      for (const claimName of wanted) {
        const claim = claims.get(`${pod.namespace}/${claimName}`)
        if (!claim) return { reason: `persistentvolumeclaim "${claimName}" not found`, unresolvable: true }
        if (claim.status?.phase === 'Lost')
          return { reason: `persistentvolumeclaim "${claimName}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`, unresolvable: true }
        if (claim.metadata.deletionTimestamp) return { reason: `persistentvolumeclaim "${claimName}" is being deleted`, unresolvable: true }
        if (isBound(claim)) {
          const volume = volumes.get(claim.spec.volumeName ?? '')
          if (!volume) return { reason: `persistentvolume "${claim.spec.volumeName}" not found`, unresolvable: true }
          state.bound.push(volume)
          continue
        }
        const storageClass = classes.get(claim.spec.storageClassName ?? '')
        if (claim.spec.volumeName || storageClass?.volumeBindingMode !== 'WaitForFirstConsumer')
          return { reason: 'pod has unbound immediate PersistentVolumeClaims', unresolvable: true }
        state.delayed.push({ claim, free: freeFor(claim) })
      }
      cycle.set(name, state)
      return undefined
    },
    filter(_pod, node, cycle) {
      const state = cycle.get(name) as State
      if (!state.bound.every((volume) => reachable(volume, node)))
        return { reason: "node(s) didn't match PersistentVolume's node affinity", unresolvable: true }
      const decisions = decide(state, node)
      if (!Array.isArray(decisions)) return decisions
      state.decisions.set(node.name, decisions)
      return undefined
    },
    reserve(_pod, node, cycle) {
      const state = cycle.get(name) as State | undefined
      for (const { claim, volume } of state?.decisions.get(node.name) ?? []) if (volume) promised.set(volume.metadata.name, keyOfClaim(claim))
      return undefined
    },
    unreserve(_pod, node, cycle) {
      const state = cycle.get(name) as State | undefined
      for (const { volume } of state?.decisions.get(node.name) ?? []) if (volume) promised.delete(volume.metadata.name)
    },
    preBind(_pod, node, cycle, signal) {
      const state = cycle.get(name) as State | undefined
      const decisions = state?.decisions.get(node.name) ?? []
      return decisions.length === 0 ? undefined : bind(decisions, node.name, signal)
    },
  }

  async function bind(decisions: Decision[], node: string, signal: AbortSignal): Promise<void> {
    for (const { claim, volume } of decisions) {
      if (volume) {
        const { namespace, name: claimName, uid } = claim.metadata
        const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name: claimName, uid }
        await client.update(PersistentVolume, {
          ...volume,
          metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' } },
          spec: { ...volume.spec, claimRef },
        })
      } else await selectNode(client, claim, node)
    }
    await untilBound(
      claims,
      decisions.map(({ claim }) => keyOfClaim(claim)),
      signal,
    )
    for (const { volume } of decisions) if (volume) promised.delete(volume.metadata.name)
  }
}

/** Asks for a volume on the node; a claim that changed meanwhile is read again. */
async function selectNode(client: Client, claim: V1PersistentVolumeClaim, node: string): Promise<void> {
  const at = { name: claim.metadata.name, namespace: claim.metadata.namespace }
  for (let current = claim; ; current = await client.get(PersistentVolumeClaim, at)) {
    if (current.metadata.annotations?.[selectedNode] === node) return
    const metadata = { ...current.metadata, annotations: { ...current.metadata.annotations, [selectedNode]: node } }
    try {
      await client.update(PersistentVolumeClaim, { ...current, metadata })
      return
    } catch (error) {
      if (!isApiError(error, 'Conflict')) throw error
    }
  }
}

/** Resolves once all claims are bound; rejects when a provisioner gave the node up, or the signal ends the wait. */
function untilBound(claims: Informer<V1PersistentVolumeClaim>, keys: string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let stop = () => {}
    const finish = (error?: Error) => {
      stop()
      signal.removeEventListener('abort', onAbort)
      if (error) reject(error)
      else resolve()
    }
    const onAbort = () => finish(new Error('binding volumes: timed out waiting for the condition'))
    const check = () => {
      const current = keys.map((key) => claims.get(key))
      if (current.some((claim) => !claim)) return finish(new Error('binding volumes: a claim was deleted meanwhile'))
      if (current.every((claim) => claim && isBound(claim))) return finish()
      if (current.some((claim) => claim && !isBound(claim) && claim.metadata.annotations?.[selectedNode] === ''))
        finish(new Error('binding volumes: provisioning failed for the node'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    stop = claims.onChange((change) => {
      if (keys.includes(keyOfClaim(change.object))) check()
    })
  })
}
