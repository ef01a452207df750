/** How many pods there should be, by what the controllers of those that are there want. */
import type { ReconcileContext } from '../client/controller.ts'
import { Deployment, ReplicaSet, ReplicationController, StatefulSet } from '../client/resources.ts'
import { isApiError } from '../machinery/errors.ts'
import type { V1OwnerReference, V1Pod } from '../machinery/schema/generated/types.ts'
import { ScaleTargets } from './autoscaling/scale-target.ts'
import { controllerOf } from './owner-reference.ts'

export interface ExpectedPods {
  count: number
  /** Names of pods without a controller: they cannot be counted. */
  unmanaged: string[]
}

interface Size {
  uid: string
  replicas: number
}

/** Each controller counts once. Throws where one cannot be asked how many it wants. */
export async function expectedPods(pods: readonly V1Pod[], targets: ScaleTargets, context: ReconcileContext): Promise<ExpectedPods> {
  const sizes = new Map<string, Size>()
  const unmanaged: string[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) unmanaged.push(pod.metadata.name)
    else if (!sizes.has(owner.uid)) {
      const size = known.has(owner.kind) ? sizeOf(pod.metadata.namespace, owner, context) : await scaleOf(pod.metadata.namespace, owner, targets, context)
      if (!size) throw new Error(`found no controllers for pod "${pod.metadata.name}"`)
      sizes.set(owner.uid, size)
    }
  }
  const byController = new Map([...sizes.values()].map(({ uid, replicas }) => [uid, replicas]))
  return { count: [...byController.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
}

const known = new Set(['ReplicaSet', 'StatefulSet', 'ReplicationController'])

function sizeOf(namespace: string, owner: V1OwnerReference, { cached }: ReconcileContext): Size | undefined {
  const key = `${namespace}/${owner.name}`
  const found =
    owner.kind === 'ReplicaSet' ? cached(ReplicaSet, key) : owner.kind === 'StatefulSet' ? cached(StatefulSet, key) : cached(ReplicationController, key)
  if (found?.metadata.uid !== owner.uid) return undefined
  const above = controllerOf(found)
  const deployment = above?.kind === 'Deployment' ? cached(Deployment, `${namespace}/${above.name}`) : undefined
  const top = deployment && deployment.metadata.uid === above?.uid ? deployment : found
  return { uid: top.metadata.uid, replicas: top.spec?.replicas ?? 1 }
}

/** Of a kind that is not built in, by its scale subresource. */
async function scaleOf(namespace: string, owner: V1OwnerReference, targets: ScaleTargets, { client, clock }: ReconcileContext): Promise<Size | undefined> {
  const resource = await targets.resourceOf(client, owner, clock.now())
  try {
    const { metadata, spec } = await ScaleTargets.scale(client, resource, namespace, owner.name)
    return metadata?.uid === owner.uid ? { uid: owner.uid, replicas: spec?.replicas ?? 0 } : undefined
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error
    if (error.status.details?.name === owner.name) return undefined
    throw new Error(`${resource.plural}${resource.group && `.${resource.group}`} does not implement the scale subresource`)
  }
}
