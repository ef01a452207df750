/** Rolls a Deployment out: a ReplicaSet for each of its templates, scaled up and down as its strategy allows. */

import { isEmptySelector } from '../apis/selector-validation.ts'
import { defineController } from '../client/controller.ts'
import { Deployment, Pod, ReplicaSet } from '../client/resources.ts'
import { keyOf } from '../machinery/object.ts'
import type { V1Deployment, V1Pod, V1ReplicaSet } from '../machinery/schema/generated/types.ts'
import { matchesLabelSelector } from '../machinery/selectors.ts'
import { claim } from './claim.ts'
import { countIn, desiredReplicasAnnotation } from './deployment-annotations.ts'
import { condition, conditionOf, reasons, withCondition } from './deployment-condition.ts'
import { Rollout } from './deployment-rollout.ts'
import { availableReplicas, countedStatus, deadlineIn, isComplete, rolloutStatus, specReplicas } from './deployment-status.ts'
import { controllerOf } from './owner-reference.ts'
import { proportionalSizes } from './proportional-scaling.ts'
import { isRollingUpdate, maxUnavailable } from './rolling-update.ts'

export const deploymentController = defineController<V1Deployment>({
  name: 'deployment-controller',
  reconciles: Deployment,
  owns: [ReplicaSet],
  watches: [
    {
      resource: ReplicaSet,
      keys: (set: V1ReplicaSet, _previous, read) =>
        controllerOf(set)
          ? []
          : read
              .informer(Deployment)
              .inNamespace(set.metadata.namespace)
              .filter((deployment) => matchesLabelSelector(deployment.spec.selector, set.metadata.labels))
              .map(keyOf),
    },
    {
      resource: Pod,
      // Recreate waits for the last old pod to go.
      keys(pod: V1Pod, _previous, { cached, informer }) {
        const reference = controllerOf(pod)
        const set = reference?.kind === 'ReplicaSet' ? cached(ReplicaSet, `${pod.metadata.namespace}/${reference.name}`) : undefined
        const owner = set && controllerOf(set)
        const deployment = owner && cached(Deployment, `${pod.metadata.namespace}/${owner.name}`)
        const gone = informer(Pod).get(keyOf(pod)) === undefined
        return deployment && gone && !isRollingUpdate(deployment) ? [keyOf(deployment)] : []
      },
    },
  ],
  async reconcile(deployment, context) {
    if (!deployment) return
    if (isEmptySelector(deployment.spec.selector)) {
      context.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      return
    }
    const matches = (set: V1ReplicaSet) => matchesLabelSelector(deployment.spec.selector, set.metadata.labels)
    const candidates = context.informer(ReplicaSet).inNamespace(deployment.metadata.namespace)
    const sets = await claim(candidates, { client: context.client, resource: ReplicaSet, ownerResource: Deployment, owner: deployment, matches })
    const rollout = new Rollout(deployment, sets, context)
    if (deployment.metadata.deletionTimestamp) return writeCounts(rollout)

    await notePause(rollout)
    if (deployment.spec.paused || rollout.wasScaled()) {
      await rollout.syncNewSet(false)
      await resize(rollout)
      if (deployment.spec.paused) await rollout.forgetOldRevisions()
      return writeCounts(rollout)
    }
    return isRollingUpdate(deployment) ? roll(rollout) : recreate(rollout)
  },
})

async function writeCounts(rollout: Rollout): Promise<undefined> {
  await rollout.writeStatus(countedStatus(rollout.deployment, rollout, rollout.context.clock.now()))
}

/** A pause must not run into the deadline, and says so on the condition. */
async function notePause(rollout: Rollout): Promise<void> {
  const { deployment, context } = rollout
  const current = conditionOf(deployment.status, 'Progressing')
  if (deployment.spec.progressDeadlineSeconds === undefined || current?.reason === reasons.timedOut) return
  const isPaused = current?.reason === reasons.paused
  if (Boolean(deployment.spec.paused) === isPaused) return
  const next = isPaused
    ? condition('Progressing', 'Unknown', reasons.resumed, 'Deployment is resumed', context.clock.now())
    : condition('Progressing', 'Unknown', reasons.paused, 'Deployment is paused', context.clock.now())
  await rollout.writeStatus(withCondition(deployment.status ?? {}, next))
}

/** Follows a change of `replicas` alone. */
async function resize(rollout: Rollout): Promise<void> {
  const active = rollout.all.filter((set) => (set.spec.replicas ?? 1) > 0)
  const only = active.length === 0 ? (rollout.newSet ?? rollout.oldSets.at(-1)) : active.length === 1 ? active[0] : undefined
  if (only) {
    await rollout.scale(only, rollout.wanted)
  } else if (isSaturated(rollout)) {
    for (const set of rollout.oldSets.filter((old) => (old.spec.replicas ?? 1) > 0)) await rollout.scale(set, 0)
  } else if (isRollingUpdate(rollout.deployment)) {
    const sizes = proportionalSizes(rollout.deployment, active)
    for (const set of active) await rollout.scale(set, sizes.get(set.metadata.name) ?? 0)
  }
}

/** The new ReplicaSet has, and serves with, all that is wanted. */
function isSaturated({ newSet, wanted }: Rollout): boolean {
  return (
    newSet !== undefined &&
    newSet.spec.replicas === wanted &&
    countIn(newSet, desiredReplicasAnnotation) === wanted &&
    (newSet.status?.availableReplicas ?? 0) === wanted
  )
}

async function roll(rollout: Rollout): Promise<{ again: number } | undefined> {
  await rollout.syncNewSet(true)
  const moved = (await growNewSet(rollout)) || (await shrinkOldSets(rollout))
  return finish(rollout, moved)
}

async function recreate(rollout: Rollout): Promise<{ again: number } | undefined> {
  await rollout.syncNewSet(false)
  let moved = false
  for (const set of rollout.oldSets) if ((set.spec.replicas ?? 1) > 0) moved = (await rollout.scale(set, 0)) || moved
  if (moved || rollout.oldPodsRun()) return finish(rollout, true)
  await rollout.syncNewSet(true)
  return finish(rollout, await growNewSet(rollout))
}

async function growNewSet(rollout: Rollout): Promise<boolean> {
  const { newSet, wanted } = rollout
  if (!newSet) return false
  const current = newSet.spec.replicas ?? 1
  if (current === wanted) return false
  return rollout.scale(newSet, current > wanted ? wanted : rollout.newSetSize(current))
}

/** As far as enough stays available: first what does not serve anyway, then what does. */
async function shrinkOldSets(rollout: Rollout): Promise<boolean> {
  const { newSet, deployment } = rollout
  if (specReplicas(rollout.oldSets) === 0) return false
  const minAvailable = rollout.wanted - maxUnavailable(deployment)
  const newUnavailable = newSet ? (newSet.spec.replicas ?? 1) - (newSet.status?.availableReplicas ?? 0) : 0
  let unneeded = specReplicas(rollout.all) - minAvailable - newUnavailable
  if (unneeded <= 0) return false
  let moved = false
  for (const set of rollout.oldSets) {
    const size = set.spec.replicas ?? 1
    const unhealthy = Math.min(unneeded, size - (set.status?.availableReplicas ?? 0))
    if (unhealthy <= 0) continue
    unneeded -= unhealthy
    moved = (await rollout.scale(set, size - unhealthy)) || moved
  }
  let spare = availableReplicas(rollout.all) - minAvailable
  for (const set of rollout.oldSets) {
    const size = set.spec.replicas ?? 1
    const less = Math.min(size, spare)
    if (less <= 0) continue
    spare -= less
    moved = (await rollout.scale(set, size - less)) || moved
  }
  return moved
}

async function finish(rollout: Rollout, moved: boolean): Promise<{ again: number } | undefined> {
  const now = rollout.context.clock.now()
  if (!moved && isComplete(rollout.deployment, rollout.deployment.status ?? {})) await rollout.forgetOldRevisions()
  const status = rolloutStatus(rollout.deployment, rollout, now)
  await rollout.writeStatus(status)
  const current = conditionOf(status, 'Progressing')
  const waits = current && current.reason !== reasons.timedOut && current.reason !== reasons.available && !isComplete(rollout.deployment, status)
  // One second more: the deadline is passed only after it.
  return waits ? { again: Math.max(0, deadlineIn(rollout.deployment, status, now)) + 1000 } : undefined
}
